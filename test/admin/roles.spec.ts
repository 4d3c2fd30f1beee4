import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, Document } from '../e2e/stack.js';
import { described } from './described.js';
import { roles, startAdminStack, type AdminStack, type Role } from './admin-stack.js';

interface Route {
  readonly method: string;
  readonly path: string;
  readonly role: Role;
  readonly takesBody: boolean;
}

const routesOf = ({ paths }: Document): readonly Route[] =>
  Object.entries(paths as Document).flatMap(([address, methods]) =>
    Object.entries(methods as Document).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: address,
      role: (operation as Document)['x-required-role'] as Role,
      takesBody: Object.hasOwn(operation as Document, 'requestBody'),
    })),
  );

const routes = routesOf(described);

/** As it was decided: a route that moves to another role, or comes without one here, is a decision again. */
const decided: Readonly<Record<Role, readonly string[]>> = {
  'Claims.Read': [
    'GET /admin/health',
    'GET /admin/v1/audit',
    'GET /admin/v1/caches',
    'GET /admin/v1/mappings',
    'GET /admin/v1/mappings/export',
    'GET /admin/v1/mappings/{tenant}/{name}',
    'GET /admin/v1/mappings/{tenant}/{name}/diff',
    'GET /admin/v1/mappings/{tenant}/{name}/draft',
    'GET /admin/v1/mappings/{tenant}/{name}/revisions',
    'GET /admin/v1/mappings/{tenant}/{name}/revisions/{number}',
    'GET /admin/v1/openapi.json',
    'GET /admin/v1/registration',
    'GET /admin/v1/schemas/mapping',
    'GET /admin/v1/sources',
    'GET /admin/v1/sources/{source}',
    'POST /admin/v1/mappings/compare',
    'POST /admin/v1/mappings/validate',
  ],
  'Claims.Edit': [
    'DELETE /admin/v1/mappings/{tenant}/{name}/draft',
    'POST /admin/v1/mappings',
    'POST /admin/v1/mappings/import',
    'PUT /admin/v1/mappings/{tenant}/{name}/draft',
  ],
  'Claims.Publish': [
    'DELETE /admin/v1/mappings/{tenant}/{name}',
    'POST /admin/v1/caches/erase',
    'POST /admin/v1/mappings/{tenant}/{name}/publish',
    'POST /admin/v1/mappings/{tenant}/{name}/restore',
    'POST /admin/v1/mappings/{tenant}/{name}/rollback',
  ],
  'Claims.Preview': ['POST /admin/v1/preview', 'POST /admin/v1/sources/{source}/test'],
  // It opens no route of its own: it shows values where Claims.Preview shows names.
  'Claims.ReadValues': [],
};

let stack: AdminStack;
beforeAll(async () => {
  stack = await startAdminStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

/** Asks for what there is not, with nothing in the body: who may ask is told so, and nothing is changed. */
function ask({ method, path: address, takesBody }: Route, token: string): Promise<Answer> {
  const route = address
    .replace('{tenant}', 'contoso')
    .replace('{name}', 'there-is-none')
    .replace('{number}', '1')
    .replace('{source}', 'corp-ad');
  return stack.ask(method, route, { token, ...(takesBody && { body: {} }) });
}

it('the service describes the routes that the reference has', async () => {
  const { json } = await stack.ask('GET', '/admin/v1/openapi.json');
  expect(routesOf(json as Document)).toEqual(routes);
});

it.each(roles)('%s opens the routes that it was decided to open', (role) => {
  const opened = routes.filter((route) => route.role === role).map(({ method, path: address }) => `${method} ${address}`);
  expect(opened.toSorted()).toEqual(decided[role]);
});

describe.each(routes)('$method $path', (route) => {
  it.each(roles)('%s alone', async (role) => {
    const answer = await ask(route, await stack.mint([role]));
    if (role === route.role) expect([401, 403]).not.toContain(answer.status);
    else {
      expect([answer.status, answer.json.code]).toEqual([403, 'caller.forbidden']);
      expect(answer.json.remedy).toContain(route.role);
    }
  });

  it('is refused to all other roles together', async () => {
    const others = roles.filter((role) => role !== route.role);
    expect((await ask(route, await stack.mint([...others, 'Claims.*', route.role.toLowerCase()]))).status).toBe(403);
  });

  it('is refused to nobody’s token, Entra’s event token, another tenant’s and an unlisted application’s', async () => {
    const other = '11111111-2222-4333-8444-555555555555';
    const tokens = [
      '',
      await stack.simulator.mintExtensionToken(),
      await stack.operatorToken(),
      await stack.mint(roles, { tid: other }),
      await stack.mint(roles, { tid: other, iss: `https://login.microsoftonline.com/${other}/v2.0` }),
      await stack.mint(roles, { aud: other }),
      await stack.mint(roles, { azp: other }),
      await stack.mint(roles, { exp: 1 }),
    ];
    for (const token of tokens) {
      const { status, json, headers } = await ask(route, token);
      expect([status, json.code]).toEqual([401, 'caller.unauthenticated']);
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });
});
