import type { Secrets, UnavailableReason } from '#claims';
import { RefusedCredentials, lockableAccountHold } from '../refused-credentials.js';

export type Headers = Readonly<Record<string, string>>;

/** What makes a request the service's own. */
export type Credential =
  | { readonly kind: 'headers'; readonly headers: Headers }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'failed'; readonly reason: UnavailableReason; readonly detail: string };

/** How a source authenticates its requests. */
export interface Authorization {
  /** The headers of the next request. */
  current(signal: AbortSignal): Promise<Credential>;
  /** The system refused these headers (401): `current` gives others, or fails until there are others or a while has passed. */
  refuse(headers: Headers): void;
}

/** A token or key that was refused is offered again after this time, unless it changes: there is no account that it could lock. */
export const credentialsHold = 10_000;

export const refusedBefore = { kind: 'failed', reason: 'credentials', detail: 'refused before; not tried again yet' } as const;

export const anonymous: Authorization = {
  current: () => Promise.resolve({ kind: 'headers', headers: {} }),
  refuse: () => undefined,
};

/** A token, a key or a password that the operator provides. It is read once, and again when it was refused. */
export class SecretHeader implements Authorization {
  private readonly refused: RefusedCredentials;
  private headers: Headers | undefined;

  constructor(
    private readonly secrets: Secrets,
    private readonly reference: string,
    private readonly name: string,
    private readonly value: (secret: string) => string,
    kind: 'token' | 'password' = 'token',
  ) {
    this.refused = new RefusedCredentials(kind === 'password' ? lockableAccountHold : credentialsHold);
  }

  async current(): Promise<Credential> {
    if (this.headers) return { kind: 'headers', headers: this.headers };
    const secret = await readSecret(this.secrets, this.reference);
    const value = secret && this.value(secret);
    if (!value || !isHeaderValue(value))
      return { kind: 'failed', reason: 'credentials', detail: 'the secret cannot be read, is empty or cannot be sent' };
    if (this.refused.has(value)) return refusedBefore;
    this.headers = { [this.name]: value };
    return { kind: 'headers', headers: this.headers };
  }

  refuse(headers: Headers): void {
    const value = headers[this.name]!;
    // Several that were under way together are one refusal.
    if (!this.refused.has(value)) this.refused.add(value);
    if (this.headers === headers) this.headers = undefined;
  }
}

/** The secret, or undefined where it cannot be had: the message behind it may name a path. */
export async function readSecret(secrets: Secrets, reference: string): Promise<string | undefined> {
  try {
    return await secrets.read(reference);
  } catch {
    return undefined;
  }
}

/** RFC 9110 §5.5, without the characters that old servers read otherwise. */
export function isHeaderValue(text: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text);
}
