import { signToken, type SigningKey } from '../../../libs/entra-auth/test/issuer-server.js';
import { claimsOf, issuers, type TrustStack } from '../../conformance/caller/trust-stack.js';

/** One answer to a caller of the load. */
export interface Sample {
  readonly kid: string;
  /** Of the token: an issuer of contoso, by its `iss`. */
  readonly issuer: string;
  readonly status: number;
  readonly code: string | undefined;
  /** When the request was begun, in milliseconds since the epoch. */
  readonly at: number;
  /** When the answer was there. */
  readonly answered: number;
}

export interface Caller {
  /** The `iss` of its tokens; that of contoso-2 by default. */
  readonly issuer?: string;
  readonly key: SigningKey;
}

/**
 * Valid sign-ins of contoso without a pause, several at a time, each with a token that was never seen before, so that none is remembered.
 * Who signs them can be changed while it goes on.
 */
export class Load implements AsyncDisposable {
  readonly samples: Sample[] = [];
  private stopped = false;
  private turn = 0;
  private readonly workers: readonly Promise<void>[];

  constructor(
    private readonly stack: TrustStack,
    /** Taken in turn. */
    public callers: readonly Caller[],
    parallel = 8,
  ) {
    this.workers = Array.from({ length: parallel }, () => this.work());
  }

  /** What was answered to requests that were begun at that time or later. */
  since(at: number): readonly Sample[] {
    return this.samples.filter((sample) => sample.at >= at);
  }

  /** Resolves when this many more requests have been begun and answered. */
  async more(count: number): Promise<readonly Sample[]> {
    const from = Date.now();
    await until(() => this.since(from).length >= count);
    return this.since(from);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopped = true;
    await Promise.all(this.workers);
  }

  private async work(): Promise<void> {
    while (!this.stopped) {
      const { key, issuer = issuers['contoso-2'].issuer } = this.callers[this.turn++ % this.callers.length]!;
      this.samples.push(await attempt(this.stack, { key, issuer }));
    }
  }
}

/** One sign-in with a token that was never seen before. */
export async function attempt(stack: TrustStack, { key, issuer = issuers['contoso-2'].issuer }: Caller): Promise<Sample> {
  const token = await signToken(key, claimsOf('contoso-2', { iss: issuer }));
  const at = Date.now();
  const { status, json } = await stack.post(token);
  return { kid: key.kid, issuer, status, code: status === 200 ? undefined : json.code, at, answered: Date.now() };
}

/** Resolves once it holds, in hooks too. @throws Error after 40 s */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 40_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it never came true');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** How many of the samples were answered in which way. */
export function tally(samples: readonly Sample[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, code } of samples) {
    const answer = code === undefined ? `${status}` : `${status} ${code}`;
    counts[answer] = (counts[answer] ?? 0) + 1;
  }
  return counts;
}
