import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Client, Tenant } from './config.js';
import { tokenLifetime, type TokenIssuer } from './tokens.js';

/** What a client posted: the body, and the `Authorization` header if there was one. */
export interface TokenRequest {
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface TokenAnswer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Answers the client credentials grant (RFC 6749 §4.4): the secret in the body or as Basic, the scope `<resource>/.default`, where the
 * resource is an id that the tenant knows, with or without `api://`. A refusal carries Entra's code (Microsoft: AADSTS error codes).
 */
export async function answerTokenRequest(
  tokens: TokenIssuer,
  tenant: Tenant,
  { authorization, body }: TokenRequest,
): Promise<TokenAnswer> {
  const form = new URLSearchParams(body);
  const [id, secret] = credentialsOf(authorization, form);
  if (form.get('grant_type') !== 'client_credentials')
    return refusal(400, 'unsupported_grant_type', 70003, 'The app requested an unsupported grant type.');
  const client = Object.values(tenant.clients).find(({ clientId }) => clientId === id.toLowerCase());
  if (!client) return refusal(400, 'unauthorized_client', 700016, 'The application was not found in the directory.');
  if (!isSecretOf(client, secret)) return refusal(401, 'invalid_client', 7000215, 'Invalid client secret provided.');
  const [, name] = /^(\S+)\/\.default$/.exec(form.get('scope') ?? '') ?? [];
  if (name === undefined) return refusal(400, 'invalid_scope', 1002012, 'The scope must be <resource>/.default.');
  const resource = resourceOf(tenant, name);
  if (resource === undefined)
    return refusal(400, 'invalid_resource', 500011, 'The resource principal of the scope was not found in the tenant.');
  const token = await tokens.clientToken(tenant, client, resource);
  return {
    status: 200,
    body: { token_type: 'Bearer', expires_in: tokenLifetime, ext_expires_in: tokenLifetime, access_token: token },
  };
}

/** The id of the resource of this name: an API, an application, or what a client of the configuration is for. */
function resourceOf({ api, applications, clients }: Tenant, name: string): string | undefined {
  if (name === api.identifierUri) return api.appId;
  const id = name.replace(/^api:\/\//, '').toLowerCase();
  const known = [
    api.appId,
    ...Object.values(applications).map(({ appId }) => appId),
    ...Object.values(clients).map(({ resource }) => resource),
  ];
  return known.find((candidate) => candidate === id);
}

/** The members that Entra adds to those of RFC 6749 §5.2. The description ends in the ids, as support asks for them. */
function refusal(status: number, error: string, code: number, text: string): TokenAnswer {
  const traceId = randomUUID();
  const correlationId = randomUUID();
  const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${code}: ${text} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
      error_codes: [code],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
    },
  };
}

function credentialsOf(authorization: string | undefined, form: URLSearchParams): readonly [id: string, secret: string] {
  const [, basic] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '') ?? [];
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
