import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applications } from '../e2e/event.js';
import type { Document } from '../e2e/stack.js';
import { startAdminStack, type AdminStack } from './admin-stack.js';

let stack: AdminStack;
beforeAll(async () => {
  stack = await startAdminStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

const client = 'c1111111-1111-4111-8111-111111111111';
const ask = (application: string, tenant = 'contoso') =>
  stack.ask('GET', `/admin/v1/registration?tenant=${tenant}&application=${application}`);
const namesOf = ({ claims }: Document): string[] => claims.map(({ name }: Document) => name as string).toSorted();

describe('the registration of an application', () => {
  it('has the claims of its mapping', async () => {
    const { json } = await ask(applications.billingPortal);
    expect(json.mappings).toEqual([{ name: 'billing-portal', revision: expect.stringMatching(/^[0-9a-f]{32}$/) }]);
    expect(namesOf(json as Document)).toContain('department');
  });

  it('has the claims of all its mappings, and of the fallback where none is for every call', async () => {
    const application = 'd1111111-1111-4111-8111-111111111111';
    expect((await ask(application)).json).toMatchObject({ status: 404, code: 'mapping.none' });
    const base = { tenant: 'contoso', applications: [application] };
    await stack.publish({
      ...base,
      name: 'one-client',
      clients: [client],
      claims: { one: { value: '1' }, both: { value: 'x' } },
    });
    await expect.poll(async () => (await ask(application)).json.mappings?.length).toBe(1);
    await stack.publish({ ...base, name: 'other-client', clients: [client.replace('c', 'e')], claims: { both: { value: 'y' } } });
    await stack.publish({ tenant: 'contoso', name: 'rest', applications: ['*'], claims: { rest: { value: 'z' } } });
    await expect.poll(async () => (await ask(application)).json.mappings.length).toBe(3);
    expect(namesOf((await ask(application)).json as Document)).toEqual(['both', 'one', 'rest']);
    await stack.publish({ ...base, name: 'whole', claims: { whole: { value: '1' } } });
    await expect.poll(async () => namesOf((await ask(application)).json as Document)).toEqual(['both', 'one', 'whole']);
  });

  it('is refused for a tenant that there is not', async () => {
    expect((await ask(applications.billingPortal, 'fabrikam')).json).toMatchObject({ status: 404, code: 'tenant.unknown' });
  });
});
