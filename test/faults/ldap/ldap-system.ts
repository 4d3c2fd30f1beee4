/** What the specs of this folder share: OpenLDAP with people, and sources in front of it as the service composes them. */
import { Secrets, type Outcome, type Source } from '#claims';
import { LdapConnector, composeSource, type ComposedSource } from '#connectors';
import {
  startDnsServer,
  startSlapd,
  startTcpProxy,
  type DnsZone,
  type RunningDnsServer,
  type RunningSlapd,
  type SlapdOptions,
  type TcpProxy,
} from '#testing';

export const base = 'dc=corp,dc=example';
export const service = `cn=service,${base}`;
export const password = 'a service password';
export const people = 500;

/** An entry that OpenLDAP needs three seconds for. */
const slow = `cn=slow,ou=Slow,${base}`;

const ldif = [
  [`dn: ${base}`, 'objectClass: top', 'objectClass: dcObject', 'objectClass: organization', 'dc: corp', 'o: Corp'],
  [`dn: ${service}`, 'objectClass: user', 'cn: service', 'sn: service', `userPassword: ${password}`],
  ...Array.from({ length: people }, (_, number) => [
    `dn: cn=p${number},${base}`,
    'objectClass: user',
    `cn: p${number}`,
    'sn: p',
    `userPrincipalName: p${number}@corp.example`,
    `department: d${number}`,
  ]),
]
  .map((entry) => `${entry.join('\n')}\n`)
  .join('\n');

export const startPeople = (options: Partial<SlapdOptions> = {}): Promise<RunningSlapd> =>
  startSlapd({
    ldif,
    ...options,
    directives: ['moduleload retcode', ...(options.directives ?? [])],
    databaseDirectives: ['overlay retcode', `retcode-parent "ou=Slow,${base}"`, 'retcode-item "cn=slow" 0x00 sleeptime=3'],
  });

/** Ends what a test started, the last first. */
export class Parts {
  private readonly started: (() => Promise<unknown> | void)[] = [];

  keep<Part>(part: Part, end: (part: Part) => Promise<unknown> | void): Part {
    this.started.push(() => end(part));
    return part;
  }

  async end(): Promise<void> {
    for (const end of this.started.splice(0).toReversed()) await end();
  }

  async slapd(options: Partial<SlapdOptions> = {}): Promise<RunningSlapd> {
    return this.keep(await startPeople(options), (running) => running.stop());
  }

  async proxy(port: number, watch?: (sent: Buffer, connection: number) => void): Promise<TcpProxy> {
    return this.keep(await startTcpProxy({ host: '127.0.0.1', port }, watch), (proxy) => proxy.stop());
  }

  async dns(zone: DnsZone): Promise<RunningDnsServer> {
    return this.keep(await startDnsServer(zone), (server) => server.stop());
  }

  replica(options: object, secrets: Texts = new Texts()): Replica {
    return this.keep(new Replica(options, secrets), ({ source }) => source.close());
  }
}

/** Secrets and files by their references; they can be changed while sources are in use. */
export class Texts extends Secrets {
  constructor(readonly texts: Record<string, string> = {}) {
    super();
    this.texts['env:PASSWORD'] ??= password;
  }

  override async read(reference: string): Promise<string> {
    const text = this.texts[reference];
    if (text === undefined) throw new Error(`${reference}: cannot be read`);
    return text;
  }
}

export interface Asked {
  readonly outcome: Outcome;
  readonly ms: number;
}

/** The source of one replica, behind every wrapper. Nothing is cached. */
export class Replica {
  readonly source: Source;
  readonly health: ComposedSource['health'];
  readonly logged: { readonly fields: object; readonly message: string }[] = [];

  constructor(options: object, secrets: Texts) {
    const connector = new LdapConnector();
    const config = connector.config.parse({
      type: 'ldap',
      tenants: ['contoso'],
      allowClearText: true,
      bind: { dn: service, password: 'env:PASSWORD' },
      limits: { operation: '500ms', connect: '1s', queue: 1_000 },
      breaker: { failures: 10, retryAfter: '200ms' },
      lookups: {
        person: { base, parameters: ['upn'], filter: '(userPrincipalName={upn})' },
        slow: { base: slow, parameters: ['upn'], filter: '(userPrincipalName={upn})' },
      },
      ...options,
    });
    const note = (fields: object, message: string): void => void this.logged.push({ fields, message });
    const adapter = connector.create('corp-ad', config, { secrets, log: { warn: note, error: note } });
    const silent = (): void => undefined;
    const composed = composeSource(adapter, config, { fetched: silent, answered: silent, circuit: silent }, 60_000);
    this.source = composed.source;
    this.health = composed.health;
  }

  async ask(number: number, lookup = 'person', signal = new AbortController().signal): Promise<Asked> {
    const started = performance.now();
    const parameters = new Map([['upn', `p${number}@corp.example`]]);
    const outcome = await this.source.fetch({ lookup, parameters, projection: ['department'] }, signal);
    return { outcome, ms: performance.now() - started };
  }

  /** So many people at once. */
  askMany(count: number): Promise<readonly Asked[]> {
    return Promise.all(Array.from({ length: count }, (_, number) => this.ask(number)));
  }

  /** As the service does at its interval. */
  probe(): Promise<unknown> {
    return this.source.probe(AbortSignal.timeout(1_000));
  }
}

/** How many of each: `found`, or why not. */
export function tally(asked: readonly Asked[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { outcome } of asked) {
    const word = 'reason' in outcome ? outcome.reason : outcome.kind;
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}
