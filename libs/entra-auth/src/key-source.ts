import { importJWK, type CryptoKey } from 'jose';
import { Agent, request } from 'undici';

/** Signing keys by their `kid`. */
export type SigningKeys = ReadonlyMap<string, CryptoKey>;

export interface KeySourceOptions {
  /** PEM. Where it is set, only certificates of this authority are accepted. */
  readonly ca?: string;
  /** For metadata and keys together. */
  readonly timeoutMs: number;
}

const maximumDocumentBytes = 256 * 1024;
const maximumKeys = 1_000;
const minimumModulusBits = 2_048;

/** Why keys could not be had. The message is for the operator and holds nothing of a document but its defect. */
export class KeyFetchError extends Error {
  override readonly name = 'KeyFetchError';
}

/**
 * Reads an issuer's keys from its OpenID metadata (OpenID Connect Discovery 1.0, §4) and its key set (RFC 7517): https only, no
 * redirects, bounded in time and size. Stateless; who asks how often is not decided here.
 */
export class KeySource {
  private readonly agent: Agent;

  constructor(private readonly options: KeySourceOptions) {
    this.agent = new Agent({
      allowH2: false,
      maxResponseSize: maximumDocumentBytes,
      connect: { timeout: options.timeoutMs, ...(options.ca !== undefined && { ca: options.ca }) },
    });
  }

  /**
   * The keys that may sign for one of the issuers named: RSA, 2,048 bit at least, for signatures, with a `kid`. Never empty.
   * @throws KeyFetchError for whatever goes wrong
   */
  async read(metadata: string, issuers: readonly string[], abort: AbortSignal): Promise<SigningKeys> {
    const signal = AbortSignal.any([abort, AbortSignal.timeout(this.options.timeoutMs)]);
    const { issuer, jwks_uri: address } = await this.document(metadata, 'metadata', signal);
    if (typeof issuer !== 'string' || !issuers.includes(issuer)) throw new KeyFetchError('the metadata state another issuer');
    if (typeof address !== 'string') throw new KeyFetchError('the metadata have no jwks_uri');
    return usableKeys(await this.document(address, 'key set', signal), 'key set');
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private async document(address: string, what: string, signal: AbortSignal): Promise<Record<string, unknown>> {
    if (!URL.canParse(address) || new URL(address).protocol !== 'https:')
      throw new KeyFetchError(`the address of the ${what} is not https`);
    return parseObject(await this.text(address, what, signal), what);
  }

  private async text(address: string, what: string, signal: AbortSignal): Promise<string> {
    let status: number;
    try {
      const response = await request(address, { dispatcher: this.agent, signal, headers: { accept: 'application/json' } });
      status = response.statusCode;
      if (status === 200) return await response.body.text();
      response.body.on('error', () => undefined).destroy();
    } catch (error) {
      throw new KeyFetchError(`the ${what} cannot be fetched: ${reason(error)}`);
    }
    throw new KeyFetchError(`the ${what} are answered with status ${status}`);
  }
}

/**
 * Reads key sets that an operator provides: a JSON object of key sets (RFC 7517) by issuer.
 * @throws KeyFetchError where it is none, or an issuer has no usable RSA signing key
 */
export async function readPinnedKeys(text: string): Promise<ReadonlyMap<string, SigningKeys>> {
  const pinned = new Map<string, SigningKeys>();
  for (const [issuer, set] of Object.entries(parseObject(text, 'pinned keys')))
    pinned.set(issuer, await usableKeys(set, `pinned key set of ${issuer}`));
  return pinned;
}

async function usableKeys(set: unknown, what: string): Promise<SigningKeys> {
  const keys = typeof set === 'object' && set !== null ? (set as { keys?: unknown }).keys : undefined;
  if (!Array.isArray(keys)) throw new KeyFetchError(`the ${what} has no keys`);
  const usable = await signingKeys(keys.slice(0, maximumKeys));
  if (usable.size === 0) throw new KeyFetchError(`the ${what} has no usable RSA signing key`);
  return usable;
}

function parseObject(text: string, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // told below
  }
  throw new KeyFetchError(`the ${what} must be a JSON object`);
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return 'no answer in time';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

async function signingKeys(keys: readonly unknown[]): Promise<SigningKeys> {
  const usable = new Map<string, CryptoKey>();
  for (const candidate of keys) {
    const key = await signingKey(candidate);
    if (key && !usable.has(key.kid)) usable.set(key.kid, key.key);
  }
  return usable;
}

async function signingKey(candidate: unknown): Promise<{ kid: string; key: CryptoKey } | undefined> {
  if (typeof candidate !== 'object' || candidate === null) return undefined;
  const { kty, use, alg, kid, n, e } = candidate as Record<string, unknown>;
  if (kty !== 'RSA' || typeof kid !== 'string' || kid === '' || typeof n !== 'string' || typeof e !== 'string') return undefined;
  if ((use !== undefined && use !== 'sig') || (alg !== undefined && alg !== 'RS256')) return undefined;
  try {
    const key = await importJWK({ kty, n, e }, 'RS256');
    if (key instanceof Uint8Array) return undefined;
    const { modulusLength } = key.algorithm as { modulusLength?: number };
    return modulusLength !== undefined && modulusLength >= minimumModulusBits ? { kid, key } : undefined;
  } catch {
    return undefined;
  }
}
