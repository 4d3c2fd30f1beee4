import { describe, expect, it } from 'vitest';
import { Conversation } from './conversation.js';
import { everything } from './filters.js';
import type { Answer, LdapConnection, Search } from './ldap-connection.js';

const question = { base: 'dc=x', scope: 'sub', filter: everything, attributes: ['cn'] } as const;
const entry = { name: 'cn=a', attributes: [] };
const result = { kind: 'result', code: 0, diagnostic: '', entries: [entry], surplus: false, references: [] } as const;

/** Has more entries than a page where it is asked without pages, and answers page by page as it is told. */
function connection(page: (search: Search) => Promise<Answer>, whole: Partial<typeof result> | object = { code: 4 }) {
  const asked: Search[] = [];
  const search = (each: Search): Promise<Answer> => {
    asked.push(each);
    return each.after ? page(each) : Promise.resolve({ ...result, ...whole });
  };
  return { asked, connection: { search } as unknown as LdapConnection };
}

const talk = (over: LdapConnection): Conversation =>
  new Conversation({ giveUp: () => false }, over, 1, new AbortController().signal);

describe('searchAll', () => {
  it('asks once for what fits into a page, and page by page from the beginning for what does not', async () => {
    const small = connection(() => Promise.reject(new Error('no page is needed')), { code: 0 });
    expect(await talk(small.connection).searchAll(question, 1_000)).toMatchObject({ entries: [entry], more: false });
    for (const whole of [{ code: 4 }, { code: 11 }, { surplus: true }]) {
      let pages = 0;
      const cookie = Buffer.from('next');
      const large = connection(() => Promise.resolve({ ...result, ...(++pages === 1 && { cookie }) }), whole);
      expect(await talk(large.connection).searchAll(question, 1_000)).toMatchObject({ entries: [entry, entry] });
      expect(large.asked.map(({ after }) => after?.length)).toEqual([undefined, 0, 4]);
    }
  });

  it('allows no more than is allowed', async () => {
    const limit = { kind: 'unavailable', reason: 'limit' };
    const entries = [entry, entry];
    const { connection: small } = connection(() => Promise.reject(new Error('no page is needed')), { entries });
    expect(await talk(small).searchAll(question, 1)).toMatchObject(limit);
    const { connection: large } = connection(() => Promise.resolve({ ...result, entries }));
    expect(await talk(large).searchAll(question, 1)).toMatchObject(limit);
    expect(await talk(connection(() => Promise.resolve(result), { code: 50 }).connection).searchAll(question, 1)).toMatchObject({
      reason: 'refused',
    });
  });

  it('takes turns for pages, and goes on after one that threw', async () => {
    const first = Promise.withResolvers<Answer>();
    let pages = 0;
    const { connection: shared } = connection(() => (++pages === 1 ? first.promise : Promise.resolve(result)));
    const [broken, next] = [talk(shared).searchAll(question, 10), talk(shared).searchAll(question, 10)];
    const failed = broken.catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    expect(pages).toBe(1);
    first.reject(new Error('defect'));
    expect(await failed).toEqual(new Error('defect'));
    expect(await next).toMatchObject({ entries: [entry] });
    expect(await talk(shared).searchAll(question, 10)).toMatchObject({ entries: [entry] });
  });
});
