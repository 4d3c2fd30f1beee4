import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Client, Tenant } from './config.js';
import { tokenLifetime, type TokenIssuer } from './tokens.js';

/** The answer of the token endpoint: a token, or an error in Entra's words (RFC 6749 §5.1 and §5.2). */
export interface TokenAnswer {
  readonly status: number;
  readonly body: object;
}

interface TokenError {
  readonly status: number;
  readonly error: string;
  /** The number of the AADSTS code. */
  readonly code: number;
  readonly description: string;
}

type Credentials = { readonly clientId: string; readonly clientSecret: string | undefined } | TokenError;

/** Grants client_credentials (RFC 6749 §4.4) for the scope `<resource>/.default`. The form is the body as sent. */
export async function grantToken(
  tokens: TokenIssuer,
  tenant: Tenant,
  form: URLSearchParams,
  authorization: string | undefined,
): Promise<TokenAnswer> {
  const granted = check(tenant, form, authorization);
  if ('error' in granted) return refused(granted);
  const token = await tokens.clientToken(tenant, granted.client, granted.resource);
  return {
    status: 200,
    body: { token_type: 'Bearer', expires_in: tokenLifetime, ext_expires_in: tokenLifetime, access_token: token },
  };
}

/** The answer for a tenant that is not there. */
export function unknownTenant(): TokenAnswer {
  return refused({ status: 400, error: 'invalid_request', code: 90002, description: 'The tenant was not found.' });
}

function check(
  tenant: Tenant,
  form: URLSearchParams,
  authorization: string | undefined,
): { readonly client: Client; readonly resource: string } | TokenError {
  const bad = (error: string, code: number, description: string, status = 400): TokenError => ({
    status,
    error,
    code,
    description,
  });
  for (const name of ['grant_type', 'client_id', 'client_secret', 'scope'])
    if (form.getAll(name).length > 1) return bad('invalid_request', 9000411, `The parameter '${name}' is duplicated.`);
  const grant = form.get('grant_type');
  if (grant === null) return missing('grant_type');
  if (grant !== 'client_credentials') return bad('unsupported_grant_type', 70003, 'The grant type is not supported.');

  const credentials = credentialsOf(form, authorization);
  if ('error' in credentials) return credentials;
  const clientId = credentials.clientId.toLowerCase();
  const client = Object.values(tenant.clients).find((candidate) => candidate.clientId === clientId);
  if (client === undefined) return bad('unauthorized_client', 700016, 'The application was not found in the directory.');
  if (credentials.clientSecret === undefined)
    return bad('invalid_client', 7000218, "The request body must contain 'client_assertion' or 'client_secret'.", 401);
  if (!sameSecret(credentials.clientSecret, client.clientSecret))
    return bad('invalid_client', 7000215, 'Invalid client secret provided.', 401);

  const scope = form.get('scope');
  if (scope === null) return missing('scope');
  const [, named] = /^(?:api:\/\/)?([0-9a-f-]{36})\/\.default$/i.exec(scope) ?? [];
  const { api } = tenant;
  const resource = scope === `${api.identifierUri}/.default` ? api.appId : named?.toLowerCase();
  if (resource === undefined)
    return bad('invalid_scope', 1002012, 'The scope must be that of one resource, followed by /.default.');
  const known = [client.resource, api.appId, ...Object.values(tenant.applications).map(({ appId }) => appId)];
  if (!known.includes(resource)) return bad('invalid_resource', 500011, 'The resource principal was not found in the tenant.');
  return { client, resource };
}

/** From the body or from HTTP Basic, whose two parts are form-encoded (RFC 6749 §2.3.1). */
function credentialsOf(form: URLSearchParams, authorization: string | undefined): Credentials {
  const [, basic] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '') ?? [];
  if (basic === undefined) {
    const clientId = form.get('client_id');
    return clientId === null ? missing('client_id') : { clientId, clientSecret: form.get('client_secret') ?? undefined };
  }
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(basic, 'base64').toString('utf8')) ?? [];
  if (id === undefined || secret === undefined) return missing('client_id');
  return { clientId: formDecoded(id), clientSecret: formDecoded(secret) };
}

function formDecoded(text: string): string {
  return new URLSearchParams(`value=${text.replaceAll('&', '%26')}`).get('value')!;
}

/** Takes as long for a wrong secret as for a right one, whatever their lengths. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function missing(name: string): TokenError {
  return {
    status: 400,
    error: 'invalid_request',
    code: 900144,
    description: `The request body must contain the parameter '${name}'.`,
  };
}

function refused({ status, error, code, description }: TokenError): TokenAnswer {
  const trace = { trace_id: randomUUID(), correlation_id: randomUUID() };
  const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const text = `AADSTS${code}: ${description} Trace ID: ${trace.trace_id} Correlation ID: ${trace.correlation_id} Timestamp: ${timestamp}`;
  return { status, body: { error, error_description: text, error_codes: [code], timestamp, ...trace } };
}
