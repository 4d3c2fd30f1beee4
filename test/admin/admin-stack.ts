import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startTcpProxy } from '#testing';
import type { JWTPayload } from 'jose';
import { parse } from 'yaml';
import { IssuerServer, signToken, signingKey } from '../../libs/entra-auth/test/issuer-server.js';
import { assertDescribed } from './described.js';
import { answerOf, startStack, type Answer, type Document, type StackOptions } from '../e2e/stack.js';

const seeds = path.resolve(import.meta.dirname, '../../docker/seeds/mappings');

export const roles = ['Claims.Read', 'Claims.Edit', 'Claims.Publish', 'Claims.Preview', 'Claims.ReadValues'] as const;
export type Role = (typeof roles)[number];

export const adminTenant = { tenantId: '4e0f6a8b-1c2d-4e3f-9a4b-5c6d7e8f9a41', audience: 'b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f202' };
const client = 'f7a9c3d1-0e2b-4c5d-8a6f-1b2c3d4e5f01';
const issuer = `https://login.microsoftonline.com/${adminTenant.tenantId}/v2.0`;

export interface AdminStackOptions extends Pick<StackOptions, 'mappings' | 'configure' | 'variables'> {
  /** Where the mappings are kept. */
  readonly store?: 'postgres' | 'files';
}

export type AdminStack = Awaited<ReturnType<typeof startAdminStack>>;

/** The stack of the end-to-end tests with mappings in PostgreSQL behind a TCP proxy, and an admin tenant whose tokens a test mints. */
export async function startAdminStack({ store = 'postgres', mappings, configure, variables }: AdminStackOptions = {}) {
  await using parts = new AsyncDisposableStack();
  const issuers = parts.use(await IssuerServer.start());
  const key = await signingKey('operators');
  issuers.publish('admin', issuer, [key.publicJwk]);
  let storeProxy: Awaited<ReturnType<typeof startTcpProxy>> | undefined;
  const stack = await startStack({
    ...(mappings && { mappings }),
    ...(variables && { variables }),
    configure: async (document, given) => {
      const { folder, caFile, postgres } = given;
      const bundle = path.join(folder, 'bundle.pem');
      await writeFile(bundle, `${await readFile(caFile, 'utf8')}\n${issuers.ca}`);
      document['trust'] = { ca: `file:${bundle}` };
      document['listen'].management.limits = { failedAuthentications: 1_000_000 };
      document['admin'] = {
        ...adminTenant,
        callers: { applications: [client], delegated: [client] },
        issuers: [{ issuer, metadata: issuers.metadata('admin') }],
      };
      if (store === 'postgres') {
        storeProxy = await startTcpProxy({ host: postgres.host, port: postgres.port });
        await writeFile(path.join(folder, 'store-password'), postgres.password);
        document['mappings'] = {
          postgres: {
            host: '127.0.0.1',
            port: storeProxy.port,
            database: postgres.database,
            user: postgres.user,
            password: 'file:store-password',
            tls: 'disable',
            migrate: true,
            limits: { connect: '1s', operation: '3s' },
          },
        };
      }
      await configure?.(document, given);
    },
  });
  parts.use(stack);
  parts.defer(async () => void (await storeProxy?.stop()));
  await stack.ready();

  /** A token of the admin tenant, of a daemon with these roles unless told otherwise. */
  const mint = (granted: readonly string[], change: JWTPayload = {}): Promise<string> => {
    const now = Math.floor(Date.now() / 1_000);
    const oid = 'a1d4b0f6-2f64-4a7e-8b5d-0c2b9f7d1e44';
    const claims = { aud: adminTenant.audience, iss: issuer, iat: now, nbf: now, exp: now + 3_900, azp: client, azpacr: '2' };
    const rest = { oid, sub: oid, tid: adminTenant.tenantId, uti: randomUUID(), ver: '2.0', roles: [...granted] };
    return signToken(key, { ...claims, ...rest, ...change });
  };
  const everything = await mint(roles, { name: 'Ada Admin' });

  /** Asks the management door, with all roles unless told otherwise, and holds the answer to the published document. */
  const ask = async (
    method: string,
    route: string,
    request: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>>; readonly token?: string } = {},
  ): Promise<Answer> => {
    const { body, headers = {}, token = everything } = request;
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await answerOf(
      await fetch(stack.managementUrl + route, {
        method,
        headers: {
          ...(token !== '' && { authorization: `Bearer ${token}` }),
          ...(text !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(text !== undefined && { body: text }),
      }),
    );
    assertDescribed(method, route, answer, { contentType: headers['content-type'] ?? 'application/json', body: text });
    return answer;
  };
  const running = parts.move();
  const admin = {
    ...stack,
    storeProxy: storeProxy!,
    mint,
    ask,
    /** Publishes a document as it is, whatever is there; answers the mapping. */
    async publish(document: Document, comment = ''): Promise<Document> {
      const route = `/admin/v1/mappings/${document['tenant']}/${document['name'] ?? document['claimSet']}`;
      const { json, status } = await ask('GET', route);
      const drafted =
        status === 404
          ? await ask('POST', '/admin/v1/mappings', { body: document })
          : await ask('PUT', `${route}/draft`, { body: document, headers: { 'if-match': `"${json.version}"` } });
      const published = await ask('POST', `${route}/publish`, {
        body: { comment },
        headers: { 'if-match': drafted.headers.get('etag') ?? '' },
      });
      if (published.status !== 200) throw new Error(`not published: ${drafted.text} ${published.text}`);
      return published.json as Document;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
  if (store === 'postgres' && !mappings) for (const document of await seededMappings()) await admin.publish(document, 'seed');
  return admin;
}

/** The documents of docker/seeds. */
export async function seededMappings(): Promise<readonly Document[]> {
  const names = ['billing-portal.yaml', 'legacy-hr.yaml', 'billing-api.yaml'];
  return Promise.all(names.map(async (name) => parse(await readFile(path.join(seeds, name), 'utf8')) as Document));
}
