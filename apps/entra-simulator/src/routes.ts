import { timingSafeEqual, createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { z } from 'zod';
import { documentIssues, type Client, type SimulatorConfiguration, type Tenant } from './config.js';
import { rollModes, type KeyRing, type RollMode } from './keys.js';
import { signInRequest, tenantOf, type SignIn, type SignInRequest } from './sign-in.js';
import { SimulatorError } from './simulator-error.js';
import { tokenLifetime, tokenOverrides, type TokenIssuer } from './tokens.js';

const maximumBodyBytes = 65_536;

const faultKinds = ['none', 'hang', 'html', 'unavailable', 'reset'] as const;

/** How the public documents fail: not at all, never answered, 200 with HTML, 503, or a reset connection. */
export const faultsDocument = z.strictObject({
  metadata: z.enum(faultKinds).default('none'),
  keys: z.enum(faultKinds).default('none'),
});

export type Faults = z.output<typeof faultsDocument>;

export interface Parts {
  readonly configuration: SimulatorConfiguration;
  readonly keys: KeyRing;
  readonly tokens: TokenIssuer;
  readonly url: () => string;
  readonly signIn: (request: SignInRequest) => Promise<SignIn>;
  readonly roll: (mode: RollMode) => Promise<void>;
  readonly faults: () => Faults;
  readonly setFaults: (faults: Faults) => void;
}

interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  /** Which document of Entra it is, for the faults. */
  readonly document?: keyof Faults;
  readonly answer: (call: {
    readonly request: IncomingMessage;
    readonly body: string;
    readonly tenantId: string;
  }) => Promise<Answer> | Answer;
}

interface Answer {
  readonly status?: number;
  readonly body: unknown;
}

/** Answers what Entra answers over https, and the simulator's own endpoints. */
export function createRequestListener(parts: Parts): RequestListener {
  const routes = routesOf(parts);
  return (request, response) => {
    serve(routes, parts.faults(), request, response).catch((error: unknown) => {
      if (error instanceof SimulatorError)
        send(response, error.status, { error: { code: error.code, message: error.message, issues: error.issues } });
      else
        send(response, 500, {
          error: { code: 'simulator.defect', message: error instanceof Error ? error.message : 'unknown error' },
        });
    });
  };
}

async function serve(
  routes: readonly Route[],
  faults: Faults,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'https://simulator');
  const route = routes.find(({ method, path }) => method === request.method && path.test(pathname));
  if (!route)
    throw new SimulatorError('route.unknown', 404, `There is no ${request.method} of this address. GET / lists what there is.`);
  if (route.document !== undefined && fail(faults[route.document], request, response)) return;
  const tenantId = route.path.exec(pathname)?.groups?.['tenant']?.toLowerCase() ?? '';
  const { status = 200, body } = await route.answer({ request, tenantId, body: await readBody(request) });
  send(response, status, body);
}

function routesOf({ configuration, keys, tokens, url, signIn, roll, setFaults }: Parts): readonly Route[] {
  const tenant = '(?<tenant>[0-9a-fA-F-]{36})';
  const tenantById = (id: string): Tenant => {
    const found = Object.values(configuration.tenants).find(({ tenantId }) => tenantId === id);
    if (!found) throw new SimulatorError('tenant.unknown', 404, 'There is no tenant of this id.');
    return found;
  };
  const metadata = (version: 1 | 2): Route['answer'] => {
    const infix = version === 1 ? '' : '/v2.0';
    return ({ tenantId }) => {
      const base = `${url()}/${tenantById(tenantId).tenantId}`;
      return {
        body: {
          issuer: tokens.issuer(tenantById(tenantId), version),
          token_endpoint: `${base}/oauth2${infix}/token`,
          jwks_uri: `${base}/discovery${infix}/keys`,
          response_types_supported: ['code', 'id_token'],
          subject_types_supported: ['pairwise'],
          id_token_signing_alg_values_supported: ['RS256'],
          token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
        },
      };
    };
  };
  const json = <Schema extends z.ZodType>(schema: Schema, body: string): z.output<Schema> => {
    let content: unknown;
    try {
      content = body === '' ? {} : JSON.parse(body);
    } catch {
      throw new SimulatorError('request.body', 400, 'The body is not JSON.');
    }
    const parsed = schema.safeParse(content);
    if (!parsed.success)
      throw new SimulatorError('request.body', 400, 'The body is not as it must be.', documentIssues(parsed.error));
    return parsed.data;
  };
  const route = (method: Route['method'], path: string, answer: Route['answer'], document?: keyof Faults): Route => ({
    method,
    path: new RegExp(`^${path}$`),
    answer,
    ...(document && { document }),
  });
  return [
    route('GET', '/', () => ({ body: overview(url(), configuration) })),
    route('GET', `/${tenant}/\\.well-known/openid-configuration`, metadata(1), 'metadata'),
    route('GET', `/${tenant}/v2\\.0/\\.well-known/openid-configuration`, metadata(2), 'metadata'),
    route(
      'GET',
      `/${tenant}/discovery(?:/v2\\.0)?/keys`,
      ({ tenantId }) => tenantById(tenantId) && { body: { keys: keys.published } },
      'keys',
    ),
    route('POST', `/${tenant}/oauth2/v2\\.0/token`, ({ request, body, tenantId }) =>
      clientCredentials(tokens, tenantById(tenantId), request, body),
    ),
    route('POST', '/simulator/sign-ins', async ({ body }) => ({ body: await signIn(json(signInRequest, body)) })),
    route('POST', '/simulator/extension-token', async ({ body }) => {
      const wanted = json(z.strictObject({ tenant: z.string().optional(), overrides: tokenOverrides.default({}) }), body);
      return { body: { token: await tokens.mintExtensionToken(tenantOf(configuration, wanted.tenant), wanted.overrides) } };
    }),
    route('POST', '/simulator/keys/roll', async ({ body }) => {
      await roll(json(z.strictObject({ mode: z.enum(rollModes).default('overlap') }), body).mode);
      return { body: { keys: keys.published.map(({ kid }) => kid) } };
    }),
    route('POST', '/simulator/faults', ({ body }) => {
      const wanted = json(faultsDocument, body);
      setFaults(wanted);
      return { body: wanted };
    }),
  ];
}

/** RFC 6749 §4.4, with Entra's error codes. */
async function clientCredentials(tokens: TokenIssuer, tenant: Tenant, request: IncomingMessage, body: string): Promise<Answer> {
  const form = new URLSearchParams(body);
  const [id, secret] = credentialsOf(request, form);
  if (form.get('grant_type') !== 'client_credentials')
    return refusal(400, 'unsupported_grant_type', 'AADSTS70003: The app requested an unsupported grant type.');
  const client = Object.values(tenant.clients).find(({ clientId }) => clientId === id.toLowerCase());
  if (!client) return refusal(401, 'unauthorized_client', 'AADSTS700016: The application was not found in the directory.');
  if (!isSecretOf(client, secret)) return refusal(401, 'invalid_client', 'AADSTS7000215: Invalid client secret provided.');
  const [, resource] = /^(?:api:\/\/)?([^/\s]+)\/\.default$/.exec(form.get('scope') ?? '') ?? [];
  if (resource === undefined) return refusal(400, 'invalid_scope', 'AADSTS1002012: The scope must be <resource>/.default.');
  const token = await tokens.clientToken(tenant, client, resource);
  return { body: { token_type: 'Bearer', expires_in: tokenLifetime, ext_expires_in: tokenLifetime, access_token: token } };
}

function refusal(status: number, error: string, description: string): Answer {
  return { status, body: { error, error_description: description } };
}

function credentialsOf({ headers }: IncomingMessage, form: URLSearchParams): readonly [id: string, secret: string] {
  const [, basic] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(headers.authorization ?? '') ?? [];
  if (basic === undefined) return [form.get('client_id') ?? '', form.get('client_secret') ?? ''];
  const [id = '', ...rest] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  try {
    return [decodeURIComponent(id), decodeURIComponent(rest.join(':'))];
  } catch {
    return ['', ''];
  }
}

function isSecretOf({ clientSecret }: Client, secret: string): boolean {
  const [left, right] = [clientSecret, secret].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(left!, right!);
}

/** Whether the answer was a failure that somebody asked for. */
function fail(fault: Faults[keyof Faults], request: IncomingMessage, response: ServerResponse): boolean {
  switch (fault) {
    case 'none':
      return false;
    case 'hang':
      return true;
    case 'reset':
      request.socket.destroy();
      return true;
    case 'html':
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<html><body>Our services are not available right now.</body></html>');
      return true;
    case 'unavailable':
      send(response, 503, { error: 'temporarily_unavailable' });
      return true;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maximumBodyBytes)
      throw new SimulatorError('request.tooLarge', 413, `The body is larger than ${maximumBodyBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body));
}

function overview(url: string, { tenants }: SimulatorConfiguration): object {
  const named = Object.entries(tenants).map(([name, tenant]) => [
    name,
    {
      metadata: `${url}/${tenant.tenantId}/v2.0/.well-known/openid-configuration`,
      applications: Object.keys(tenant.applications),
      users: Object.keys(tenant.users),
    },
  ]);
  return {
    about: 'An Entra that is played, for one machine. It signs with throw-away keys; nothing real may trust it.',
    tenants: Object.fromEntries(named) as object,
    endpoints: [
      'POST /{tenantId}/oauth2/v2.0/token',
      'POST /simulator/sign-ins {"application","user"?,"client"?,"tenant"?,"protocol"?,"overrides"?}',
      'POST /simulator/extension-token {"tenant"?,"overrides"?}',
      'POST /simulator/keys/roll {"mode":"overlap|emergency"}',
      'POST /simulator/faults {"metadata","keys"}',
    ],
  };
}
