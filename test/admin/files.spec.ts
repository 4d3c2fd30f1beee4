import { afterAll, beforeAll, expect, it } from 'vitest';
import { applications, eventFor } from '../e2e/event.js';
import { startAdminStack, type AdminStack } from './admin-stack.js';

let stack: AdminStack;
beforeAll(async () => {
  stack = await startAdminStack({ store: 'files' });
});
afterAll(() => stack[Symbol.asyncDispose]());

const portal = '/admin/v1/mappings/contoso/billing-portal';

it('mappings that are files can be read, previewed, validated and exported', async () => {
  const { json: list } = await stack.ask('GET', '/admin/v1/mappings?limit=2');
  expect(list.items.map(({ name }: { name: string }) => name)).toEqual(['billing-api', 'billing-portal']);
  const { json: rest } = await stack.ask('GET', `/admin/v1/mappings?after=${encodeURIComponent(list.next)}`);
  expect(rest.items.map(({ name }: { name: string }) => name)).toEqual(['legacy-hr']);
  const read = await stack.ask('GET', portal);
  expect(read.json).toMatchObject({ name: 'billing-portal', version: 0, published: { number: 1 } });
  const { json: revision } = await stack.ask('GET', `${portal}/revisions/published`);
  expect(revision.document).toMatchObject({ name: 'billing-portal' });
  const { json: preview } = await stack.ask('POST', '/admin/v1/preview', {
    body: { tenant: 'contoso', event: eventFor(applications.billingPortal), mapping: { document: revision.document } },
  });
  expect(preview).toMatchObject({ answer: 'claims' });
  expect((await stack.ask('POST', '/admin/v1/mappings/validate', { body: revision.document })).json).toMatchObject({
    valid: true,
  });
  expect((await stack.ask('GET', '/admin/v1/mappings/export')).json.documents).toHaveLength(3);
  expect(await stack.service.line(({ msg }) => msg === 'audit')).toMatchObject({ audit: { action: 'mapping.preview' } });
});

it.each<[string, string, object?]>([
  ['POST', '/admin/v1/mappings', { tenant: 'contoso', name: 'x' }],
  ['POST', '/admin/v1/mappings/import', { format: 'claimbridge-mappings/1', documents: [{}] }],
  ['GET', `${portal}/draft`],
  ['PUT', `${portal}/draft`, { tenant: 'contoso', name: 'billing-portal' }],
  ['DELETE', `${portal}/draft`],
  ['POST', `${portal}/publish`],
  ['POST', `${portal}/rollback`, { to: 1 }],
  ['DELETE', portal],
  ['POST', `${portal}/restore`],
])('%s %s says that files are changed as files', async (method, route, body) => {
  const { json } = await stack.ask(method, route, { ...(body && { body }), headers: { 'if-match': '"1"' } });
  expect(json).toMatchObject({ status: 409, code: 'mapping.readOnly', remedy: expect.stringContaining('file') });
});

it('the audit is in the log alone', async () => {
  expect((await stack.ask('GET', '/admin/v1/audit')).json).toMatchObject({ status: 409, code: 'audit.notKept' });
});
