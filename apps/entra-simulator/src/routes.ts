import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { z } from 'zod';
import { documentIssues, type SimulatorConfiguration, type Tenant } from './config.js';
import { rollModes, type KeyRing, type RollMode } from './keys.js';
import { signInRequest, tenantOf, type SignIn, type SignInRequest } from './sign-in.js';
import { SimulatorError } from './simulator-error.js';
import { answerTokenRequest } from './token-endpoint.js';
import { tokenOverrides, type TokenIssuer } from './tokens.js';

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
  const pathname = request.url?.split('?', 1)[0] ?? '/';
  const route = routes.find(({ method, path }) => method === request.method && path.test(pathname));
  if (!route)
    throw new SimulatorError('route.unknown', 404, `There is no ${request.method} of this address. GET / lists what there is.`);
  if (route.document !== undefined && fail(faults[route.document], request, response)) return;
  if (pathname.startsWith('/simulator/')) requireJson(request);
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
      answerTokenRequest(tokens, tenantById(tenantId), { authorization: request.headers.authorization, body }),
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

/** No web page can post this type to another origin without asking first (CORS), and that is never granted. */
function requireJson({ headers }: IncomingMessage): void {
  if (headers['content-type']?.split(';')[0]!.trim().toLowerCase() !== 'application/json')
    throw new SimulatorError('request.contentType', 415, 'The content type must be application/json.');
}

function json<Schema extends z.ZodType>(schema: Schema, body: string): z.output<Schema> {
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

/** Reads to the end also what is too large, without keeping it: who still sends would not see the answer. */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maximumBodyBytes) chunks.push(chunk);
  }
  if (size > maximumBodyBytes)
    throw new SimulatorError('request.tooLarge', 413, `The body is larger than ${maximumBodyBytes} bytes.`);
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
