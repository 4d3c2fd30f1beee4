import { Client, ResultCodeError } from 'ldapts';
import * as fc from 'fast-check';
import { describeWithSamba, describeWithSlapd } from '#testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateDirectory, questions, type Question } from './questions.js';
import { account, startServer, type Server, type ServerName } from './servers.js';

const seed = Number(process.env['CLAIMBRIDGE_DIRECTORY_SEED'] ?? 20_261_126);
const runs = Number(process.env['CLAIMBRIDGE_DIRECTORY_RUNS'] ?? 400);

/** What a directory answered, in a form that is equal for equal answers: names and spellings compare ignoring case, order is free. */
interface Answer {
  readonly code: number;
  readonly entries: readonly unknown[];
}

const nameValued: ReadonlySet<string> = new Set(['member', 'memberof']);

/** Escapes as characters, no spaces about separators, one case. */
const plainName = (dn: string): string =>
  dn
    .replaceAll(/\\([0-9a-f]{2})/gi, (_, hex: string) => `\\${Buffer.from(hex, 'hex').toString('latin1')}`)
    .replaceAll(/\\ /g, ' ')
    .toLowerCase();

async function ask(ldap: Client, { base, scope, attributes, filter }: Question): Promise<Answer> {
  try {
    const options = { scope, filter, attributes: [...attributes], explicitBufferAttributes: [...attributes] };
    const { searchEntries } = await ldap.search(base, options);
    const entries = searchEntries.map(({ dn, ...found }) => {
      const values = Object.entries(found).map(([name, value]) => {
        const list = (Array.isArray(value) ? value : [value]).map((each) => Buffer.from(each as Buffer).toString('utf8'));
        return [name.toLowerCase(), list.map((each) => (nameValued.has(name.toLowerCase()) ? plainName(each) : each)).toSorted()];
      });
      return [plainName(dn), Object.fromEntries(values.filter(([, list]) => list!.length > 0))];
    });
    return { code: 0, entries: entries.toSorted() };
  } catch (error) {
    if (error instanceof ResultCodeError) return { code: error.code, entries: [] };
    throw error;
  }
}

function differential(other: Exclude<ServerName, 'in process'>): void {
  const generated = generateDirectory(seed, other);
  const stack = new AsyncDisposableStack();
  let [ours, theirs]: Client[] = [];

  async function clientOf(server: Server): Promise<Client> {
    stack.defer(() => server.stop());
    const ldap = new Client({ url: server.url, timeout: 20_000 });
    stack.defer(() => ldap.unbind());
    await ldap.bind(account.dn, account.password);
    return ldap;
  }

  beforeAll(async () => {
    [ours, theirs] = await Promise.all([
      startServer('in process', generated.ldif).then(clientOf),
      startServer(other, generated.ldif).then(clientOf),
    ]);
  });

  afterAll(() => stack.disposeAsync());

  it(`answers ${runs} questions to a generated directory alike (seed ${seed})`, { timeout: 120_000 }, async () => {
    let found = 0;
    const agree = fc.asyncProperty(questions(other, generated.names), async (question) => {
      const [mine, reference] = await Promise.all([ask(ours!, question), ask(theirs!, question)]);
      expect(mine, `${question.scope} ${question.base} ${String(question.filter)}`).toEqual(reference);
      found += reference.entries.length;
    });
    await fc.assert(agree, { seed, numRuns: runs });
    // Questions that find nobody would agree with everything.
    expect(found).toBeGreaterThan(runs);
  });
}

describeWithSlapd(describe, 'the in-process directory and slapd', () => differential('slapd'));
describeWithSamba(describe, 'the in-process directory and Samba', () => differential('Samba'));
