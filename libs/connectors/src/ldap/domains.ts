import { unavailable, type AttributeValue, type Unavailable } from '#claims';
import { settleOn } from '../settle-on.js';
import type { Conversation, Conversations } from './conversation.js';
import { domainOf } from './distinguished-name.js';
import { binaryAttributes } from './entry-attributes.js';
import { everything, literalFilter } from './filters.js';
import { readWhole } from './read-whole.js';

type Context = { readonly kind: 'context'; readonly name: string };
type NetbiosNames = { readonly kind: 'names'; readonly byDomain: ReadonlyMap<string, string> };

const namedDomains = literalFilter('(&(objectClass=crossRef)(nETBIOSName=*))');
const noneBinary = binaryAttributes([]);

/** Domains are founded and renamed rarely, so a domain that is not known yet makes them be read again, at most so often. */
const readAgainAfter = 5 * 60_000;

/** What a directory says of itself: where its entries are, and which NetBIOS names its domains have. Read when first needed. */
export class Domains {
  private readonly context: OnceRead<Context>;
  private readonly names: OnceRead<NetbiosNames>;

  constructor(conversations: Conversations) {
    this.context = new OnceRead(conversations, async (conversation) => {
      const root = await rootDse(conversation, ['defaultNamingContext', 'namingContexts']);
      if (root.kind === 'unavailable') return root;
      const own =
        text(root.values('defaultNamingContext')) ??
        (root.values('namingContexts').length === 1 && text(root.values('namingContexts')));
      return own
        ? { kind: 'context', name: own }
        : unavailable('refused', 'the directory has no naming context of its own; say groups.base');
    });
    this.names = new OnceRead(conversations, readNetbiosNames);
  }

  /** The entry above all others of the directory (defaultNamingContext, MS-ADTS §3.1.1.3.2.3). */
  defaultBase(signal: AbortSignal): Promise<Context | Unavailable> {
    return this.context.get(signal);
  }

  /** The NetBIOS name of a domain, given by its DNS name. */
  async netbiosName(
    domain: string,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'name'; readonly name: string } | Unavailable> {
    for (const maximumAge of [Infinity, readAgainAfter]) {
      const names = await this.names.get(signal, maximumAge);
      if (names.kind === 'unavailable') return names;
      const name = names.byDomain.get(domain);
      if (name !== undefined) return { kind: 'name', name };
    }
    return unavailable('refused', `the directory names no NetBIOS name of ${domain}`);
  }
}

/** The domains are the crossRef entries that have such a name (MS-ADTS §6.1.1.2.1.1.1). */
async function readNetbiosNames(conversation: Conversation): Promise<NetbiosNames | Unavailable> {
  const root = await rootDse(conversation, ['configurationNamingContext']);
  if (root.kind === 'unavailable') return root;
  const configuration = text(root.values('configurationNamingContext'));
  if (!configuration) return unavailable('refused', 'the directory has no configuration naming context, so no NetBIOS names');
  const attributes = ['nCName', 'nETBIOSName'];
  const answer = await conversation.searchAll(
    { base: `CN=Partitions,${configuration}`, scope: 'one', filter: namedDomains, attributes },
    1_000,
  );
  if (answer.kind === 'unavailable') return answer;
  const byDomain = new Map<string, string>();
  for (const entry of answer.entries) {
    const whole = await readWhole(conversation, entry, attributes, noneBinary);
    if (whole.kind === 'unavailable') return whole;
    const domain = domainOf(text(whole.reader.values('nCName')) ?? '');
    const name = text(whole.reader.values('nETBIOSName'));
    if (domain !== undefined && name) byDomain.set(domain, name);
  }
  return { kind: 'names', byDomain };
}

async function rootDse(
  conversation: Conversation,
  attributes: readonly string[],
): Promise<{ readonly kind: 'root'; values(attribute: string): readonly AttributeValue[] } | Unavailable> {
  const answer = await conversation.search({ base: '', scope: 'base', filter: everything, attributes }, 1);
  if (answer.kind === 'unavailable') return answer;
  const [entry] = answer.entries;
  if (!entry) return unavailable('malformed', 'no root DSE');
  const whole = await readWhole(conversation, entry, attributes, noneBinary);
  return whole.kind === 'unavailable' ? whole : { kind: 'root', values: (attribute) => whole.reader.values(attribute) };
}

function text([value]: readonly AttributeValue[]): string | undefined {
  return typeof value === 'string' && value.length > 0 ? value : undefined;
}

/** Reads once for all who ask at the same time, and keeps what was read. A failure is not kept. */
class OnceRead<Result extends { readonly kind: string }> {
  private kept: { readonly result: Result; readonly at: number } | undefined;
  private underWay: Promise<Result | Unavailable> | undefined;

  constructor(
    private readonly conversations: Conversations,
    private readonly read: (conversation: Conversation) => Promise<Result | Unavailable>,
  ) {}

  async get(signal: AbortSignal, maximumAge = Infinity): Promise<Result | Unavailable> {
    if (this.kept && performance.now() - this.kept.at < maximumAge) return this.kept.result;
    this.underWay ??= this.readNow().finally(() => (this.underWay = undefined));
    const result = await settleOn(signal, this.underWay);
    return result === 'aborted' ? unavailable('timeout') : result;
  }

  /** The work belongs to no caller, so it has its own limit. */
  private async readNow(): Promise<Result | Unavailable> {
    const result = await this.conversations.hold<Result>(AbortSignal.timeout(this.conversations.limit), this.read);
    if (result.kind !== 'unavailable') this.kept = { result: result as Result, at: performance.now() };
    return result;
  }
}
