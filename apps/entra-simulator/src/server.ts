import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { documentIssues, type SimulatorConfiguration, type Tenant } from './config.js';
import { rollModes, type KeyRing, type RollMode } from './keys.js';
import { faultsRequest, openIdConfiguration, type Faults } from './metadata.js';
import { playSignIn, signInRequest, tenantOf } from './sign-in.js';
import type { Caller } from './callout.js';
import { SimulatorError } from './simulator-error.js';
import { grantToken, unknownTenant } from './token-endpoint.js';
import { tokenOverrides, type TokenIssuer } from './tokens.js';

/** The largest body that an endpoint of the simulator takes. */
const maximumBodyBytes = 65_536;

const rollRequest = z.strictObject({ mode: z.enum(rollModes).default('overlap') });
const extensionTokenRequest = z.strictObject({ tenant: z.string().optional(), overrides: tokenOverrides.optional() });

export interface ServerParts {
  readonly configuration: SimulatorConfiguration;
  readonly keys: KeyRing;
  readonly tokens: TokenIssuer;
  readonly caller: Caller;
  readonly faults: Faults;
  readonly baseUrl: () => string;
}

/** Rolls the signing key, and lets no token of the old one be sent any more. */
export async function rollKeys(
  { keys, tokens }: Pick<ServerParts, 'keys' | 'tokens'>,
  mode: RollMode = 'overlap',
): Promise<string> {
  await keys.roll(mode);
  tokens.forget();
  return keys.current.kid;
}

/** Answers the simulator's requests. Never rejects; what goes wrong is answered as JSON. */
export function createListener(parts: ServerParts): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    route(parts, request, response).catch((error: unknown) => sendError(response, error));
  };
}

async function route(parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path] = (request.url ?? '/').split('?', 1) as [string];
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const [, directory, document] = /^\/([^/]+)\/(.+)$/.exec(path) ?? [];
  const entries =
    path === '/' || directory === 'simulator'
      ? own(parts, path, request, response)
      : ofTenant(parts, document, directory, request, response);
  if (entries === undefined)
    throw new SimulatorError('route.unknown', 404, 'There is nothing at this address; GET / lists what there is.');
  if (entries.method !== method) {
    response.setHeader('allow', entries.method);
    throw new SimulatorError('route.method', 405, `This address takes ${entries.method}.`);
  }
  await entries.act();
}

interface Route {
  readonly method: 'GET' | 'POST';
  readonly act: () => void | Promise<void>;
}

function own(parts: ServerParts, path: string, request: IncomingMessage, response: ServerResponse): Route | undefined {
  const post = <Schema extends z.ZodType>(schema: Schema, act: (body: z.output<Schema>) => object | Promise<object>): Route => ({
    method: 'POST',
    act: async () => send(response, 200, await act(await readJson(request, schema))),
  });
  switch (path) {
    case '/':
      return { method: 'GET', act: () => send(response, 200, description(parts)) };
    case '/simulator/sign-ins':
      return post(signInRequest, (body) => playSignIn(parts, body));
    case '/simulator/extension-token':
      return post(extensionTokenRequest, async ({ tenant: alias, overrides }) => {
        const tenant = tenantOf(parts.configuration, alias);
        return {
          token: await (overrides ? parts.tokens.mintExtensionToken(tenant, overrides) : parts.tokens.extensionToken(tenant)),
        };
      });
    case '/simulator/keys/roll':
      return post(rollRequest, async ({ mode }) => ({ kid: await rollKeys(parts, mode) }));
    case '/simulator/faults':
      return post(faultsRequest, (faults) => {
        parts.faults.set(faults);
        return parts.faults.current;
      });
    default:
      return undefined;
  }
}

function ofTenant(
  parts: ServerParts,
  document: string | undefined,
  directory: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Route | undefined {
  const { tokens, keys, faults, baseUrl } = parts;
  const withTenant = (act: (tenant: Tenant) => void | Promise<void>) => () => {
    const tenant = Object.values(parts.configuration.tenants).find(({ tenantId }) => tenantId === directory?.toLowerCase());
    if (tenant !== undefined) return act(tenant);
    const { status, body } = unknownTenant();
    return send(response, status, body);
  };
  const metadata = (version: 1 | 2): Route => ({
    method: 'GET',
    act: withTenant((tenant) => {
      if (!faults.strike('metadata', response)) send(response, 200, openIdConfiguration(baseUrl(), tenant, tokens, version));
    }),
  });
  switch (document) {
    case '.well-known/openid-configuration':
      return metadata(1);
    case 'v2.0/.well-known/openid-configuration':
      return metadata(2);
    case 'discovery/keys':
    case 'discovery/v2.0/keys':
      return {
        method: 'GET',
        act: withTenant(() => {
          if (!faults.strike('jwks', response)) send(response, 200, { keys: keys.published });
        }),
      };
    case 'oauth2/v2.0/token':
      return {
        method: 'POST',
        act: withTenant(async (tenant) => {
          const form = new URLSearchParams((await readBody(request, 'application/x-www-form-urlencoded')).toString('utf8'));
          const { status, body } = await grantToken(tokens, tenant, form, request.headers.authorization);
          response.setHeader('cache-control', 'no-store');
          send(response, status, body);
        }),
      };
    default:
      return undefined;
  }
}

function description({ configuration, baseUrl, faults }: ServerParts): object {
  return {
    name: 'Entra simulator',
    purpose:
      'Plays Microsoft Entra ID for a claims provider under development. Not for production: whoever reaches it gets tokens.',
    tenants: Object.fromEntries(
      Object.entries(configuration.tenants).map(([alias, { tenantId, applications, users }]) => [
        alias,
        {
          tenantId,
          metadata: `${baseUrl()}/${tenantId}/v2.0/.well-known/openid-configuration`,
          applications: Object.keys(applications),
          users: Object.keys(users),
        },
      ]),
    ),
    faults: faults.current,
    endpoints: {
      'GET /{tenantId}/v2.0/.well-known/openid-configuration': 'OpenID metadata for version 2.0 tokens',
      'GET /{tenantId}/.well-known/openid-configuration': 'OpenID metadata for version 1.0 tokens',
      'GET /{tenantId}/discovery/v2.0/keys': 'the keys that sign',
      'POST /{tenantId}/oauth2/v2.0/token': 'client_credentials: an access token for a client of the configuration',
      'POST /simulator/sign-ins': 'plays a sign-in: {application, tenant?, client?, user?, protocol?, overrides?}',
      'POST /simulator/extension-token': 'the token that Entra sends to the claims provider: {tenant?, overrides?}',
      'POST /simulator/keys/roll': 'signs with a new key: {mode?: overlap | emergency}',
      'POST /simulator/faults': 'breaks metadata and keys: {metadata?, jwks?: none | hang | html | 503 | reset}',
    },
  };
}

/** Bodies of another media type are refused, so that no web page can post here from a browser without being asked (CORS). */
async function readJson<Schema extends z.ZodType>(request: IncomingMessage, schema: Schema): Promise<z.output<Schema>> {
  const body = await readBody(request, 'application/json');
  let value: unknown = {};
  try {
    if (body.length > 0) value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new SimulatorError('request.body', 400, 'The body is not JSON.');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw new SimulatorError('request.body', 400, 'The body is not as it must be.', documentIssues(parsed.error));
  return parsed.data;
}

async function readBody(request: IncomingMessage, mediaType: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maximumBodyBytes) chunks.push(chunk);
    else if (size > 4 * maximumBodyBytes) break;
  }
  if (size > maximumBodyBytes) throw new SimulatorError('request.tooLarge', 413, 'The body has more than 64 KB.');
  const given = request.headers['content-type']?.split(';')[0]!.trim().toLowerCase();
  if (size > 0 && given !== mediaType)
    throw new SimulatorError('request.contentType', 415, `The content type must be ${mediaType}.`);
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const known = error instanceof SimulatorError ? error : new SimulatorError('simulator.defect', 500, 'The simulator failed.');
  if (known !== error)
    process.stderr.write(`${error instanceof Error ? error.stack : 'a value that is not an Error was thrown'}\n`);
  const { code, status, message, issues } = known;
  if (status === 413) response.setHeader('connection', 'close');
  send(response, status, { error: { code, message, ...(issues.length > 0 && { issues }) } });
}
