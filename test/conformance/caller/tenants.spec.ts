import { randomUUID } from 'node:crypto';
import { signingKey } from '../../../libs/entra-auth/test/issuer-server.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, type Answer, type Document } from '../../e2e/stack.js';
import { accountOf, refusedWith, unauthenticated } from './refusal.js';
import { departments, eventOf, startTrustStack, tenants, type TrustStack } from './trust-stack.js';

let stack: TrustStack;

beforeAll(async () => {
  stack = await startTrustStack();
  await stack.ready();
});

afterAll(() => stack[Symbol.asyncDispose]());

type Called = 'contoso' | 'fabrikam';
const issuerOf = { contoso: 'contoso-2', fabrikam: 'fabrikam-id' } as const;
const both: readonly Called[] = ['contoso', 'fabrikam'];

const departmentOf = ({ status, json, text }: Answer): string => {
  expect(status, text).toBe(200);
  return json.data.actions[0].claims.department;
};
const mismatch = refusedWith(403, 'tenant.mismatch', 'The event is of another tenant than the access token.');

describe('the tenant', () => {
  it.each<[Called, keyof typeof tenants]>([
    ['contoso', 'fabrikam'],
    ['fabrikam', 'contoso'],
    ['contoso', 'admin'],
    ['fabrikam', 'admin'],
  ])('of a token of %s cannot be %s in the body', async (called, named) => {
    const token = await stack.mint(issuerOf[called]);
    const account = await accountOf(stack, token, () => stack.post(token, called, eventOf(named)));
    expect(account).toEqual(mismatch);
  });

  it('is the last of two in the body, as JSON is read, and must be that of the token', async () => {
    const token = await stack.mint('contoso-2');
    const text = JSON.stringify(eventOf('contoso'));
    const [own, second] = [`"tenantId":"${tenants.contoso.tenantId}"`, `"tenantId":"${tenants.fabrikam.tenantId}"`];
    const post = async (body: string): Promise<Answer> =>
      answerOf(
        await fetch(stack.endpoint, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body,
        }),
      );
    expect(await accountOf(stack, token, () => post(text.replace(own, `${own},${second}`)))).toEqual(mismatch);
    expect(departmentOf(await post(text.replace(own, `${second},${own}`)))).toBe(departments['contoso']);
  });

  it('is not what the source of the event says', async () => {
    const event: Document = { ...eventOf('contoso'), source: eventOf('fabrikam')['source'] };
    expect(departmentOf(await stack.post(await stack.mint('contoso-2'), 'contoso', event))).toBe(departments['contoso']);
  });
});

describe('one application and one account name in two tenants', () => {
  it.each([[both], [both.toReversed()]])('are two, asked in the order %s', async (order) => {
    for (const tenant of [...order, ...order]) {
      const before = { ...stack.lookups };
      expect(departmentOf(await stack.post(await stack.mint(issuerOf[tenant]), tenant))).toBe(departments[tenant]);
      expect(stack.lookups).toEqual({ ...before, [tenant]: before[tenant] + 1 });
    }
  });

  it('are two in parallel, under one correlation id', async () => {
    const correlationId = randomUUID();
    const asked = Array.from({ length: 40 }, (_, index) => both[index % 2]!);
    const answers = await Promise.all(
      asked.map(async (tenant) => stack.post(await stack.mint(issuerOf[tenant]), tenant, eventOf(tenant, correlationId))),
    );
    expect(answers.map(departmentOf)).toEqual(asked.map((tenant) => departments[tenant]));
  });
});

describe('a key that its issuer has withdrawn', () => {
  it('is refused for tokens not seen before; one that was accepted is remembered for five minutes at most', async () => {
    const former = stack.keys['contoso-2'];
    const next = await signingKey('next-of-contoso-2');
    const seen = await stack.mint('contoso-2');
    expect((await stack.post(seen)).status).toBe(200);
    stack.publish('contoso-2', [next]);
    // The cool-down of this stack is 5 s; the first token under the new key after it makes the service look.
    const underNext = async (): Promise<number> => (await stack.post(await stack.mint('contoso-2', {}, {}, next))).status;
    await expect.poll(underNext, { timeout: 15_000, interval: 200 }).toBe(200);
    const unseen = await stack.mint('contoso-2', {}, {}, former);
    expect(await accountOf(stack, unseen, () => stack.post(unseen))).toEqual(unauthenticated('key.unknown'));
    expect((await stack.post(seen)).status).toBe(200);
    expect((await stack.post(await stack.mint('fabrikam-id'), 'fabrikam')).status).toBe(200);
  });
});
