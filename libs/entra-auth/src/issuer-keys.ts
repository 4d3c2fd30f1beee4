import type { CryptoKey } from 'jose';
import type { KeySource, SigningKeys } from './key-source.js';
import type { TrustedIssuer } from './trust-configuration.js';

export type KeyAnswer =
  | { readonly kind: 'key'; readonly key: CryptoKey }
  /** The issuer's keys are known and this is none of them. */
  | { readonly kind: 'unknownKid' }
  /** Whether it is a key of the issuer cannot be said now. */
  | { readonly kind: 'unavailable'; readonly detail: string };

/**
 * `stale`: the keys held could not be refreshed and are used all the same. `pinned`: those that the operator provided are used, because
 * none were fetched yet. `missing`: none are held.
 */
export type KeySetState = 'fresh' | 'stale' | 'pinned' | 'missing';

export interface KeySetStatus {
  readonly issuer: string;
  readonly state: KeySetState;
  /** How many are held. */
  readonly keys: number;
  readonly fetchedAt?: Date;
  /** When the keys held are dropped unless they can be fetched again. */
  readonly usableUntil?: Date;
  /** How often an unknown `kid` caused no fetch, because the last one was too recent. */
  readonly suppressedFetches: number;
  /** Absent once a fetch succeeded. */
  readonly lastError?: { readonly detail: string; readonly at: Date };
}

/** All in milliseconds. */
export interface KeyTimes {
  /** Keys held are fetched again after this time. Microsoft advises about an hour. */
  readonly refresh: number;
  /** An unknown `kid` causes no fetch within this time of the last one. */
  readonly coolDown: number;
  /** Keys that cannot be refreshed are dropped at this age. */
  readonly maximumAge: number;
  /** The first pause after a failure while no keys are held; doubled with each one, up to `longestPause`. */
  readonly firstPause: number;
  readonly longestPause: number;
}

export interface KeyLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface IssuerKeysParts {
  readonly source: KeySource;
  readonly times: KeyTimes;
  readonly log: KeyLog;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Keys to begin with, until the first fetch succeeds. */
  readonly pinned?: SigningKeys;
}

interface Attempt {
  readonly at: number;
  readonly failure?: string;
}

/** The keys of one issuer: fetched by one flight at a time, kept through failures, never fetched more often than `times` allow. */
export class IssuerKeys {
  private keys: SigningKeys = new Map();
  private heldSince?: number;
  private fetchedAt?: number;
  private suppressedFetches = 0;
  private last?: Attempt;
  private failures = 0;
  private flight?: Promise<void>;
  private timer?: NodeJS.Timeout;
  private readonly closing = new AbortController();

  constructor(
    private readonly issuer: TrustedIssuer,
    private readonly parts: IssuerKeysParts,
  ) {
    if (!parts.pinned) return;
    this.keys = parts.pinned;
    this.heldSince = parts.now();
  }

  /** @param wait how long a fetch may be waited for, in milliseconds; the fetch goes on after it */
  async key(kid: string, wait: number): Promise<KeyAnswer> {
    const held = this.held(kid);
    if (held) return { kind: 'key', key: held };
    if (this.flight || this.mayFetch()) {
      if (!(await settled(this.refresh(), wait)))
        return { kind: 'unavailable', detail: 'the keys of the issuer are still being fetched' };
      const fetched = this.held(kid);
      if (fetched) return { kind: 'key', key: fetched };
    } else this.suppressedFetches += 1;
    return this.last?.failure === undefined && this.isHeld
      ? { kind: 'unknownKid' }
      : { kind: 'unavailable', detail: this.last?.failure ?? 'the keys of the issuer are too old' };
  }

  /** Fetches the keys unless that is under way; settles when it is done, and never rejects. */
  async refresh(): Promise<void> {
    if (this.closing.signal.aborted) return;
    this.flight ??= this.fetch().finally(() => {
      this.flight = undefined;
      this.schedule();
    });
    await this.flight;
  }

  get isHeld(): boolean {
    return this.heldSince !== undefined && this.parts.now() - this.heldSince < this.parts.times.maximumAge;
  }

  status(): KeySetStatus {
    const { isHeld, heldSince, fetchedAt, last, suppressedFetches } = this;
    return {
      issuer: this.issuer.issuer,
      state: this.state,
      keys: isHeld ? this.keys.size : 0,
      ...(fetchedAt !== undefined && { fetchedAt: new Date(fetchedAt) }),
      ...(isHeld && { usableUntil: new Date(heldSince! + this.parts.times.maximumAge) }),
      suppressedFetches,
      ...(last?.failure !== undefined && { lastError: { detail: last.failure, at: new Date(last.at) } }),
    };
  }

  private get state(): KeySetState {
    if (!this.isHeld) return 'missing';
    if (this.fetchedAt === undefined) return 'pinned';
    const overdue = this.parts.now() - this.fetchedAt > 2 * this.parts.times.refresh;
    return this.last?.failure !== undefined || overdue ? 'stale' : 'fresh';
  }

  async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.timer);
    await this.flight;
  }

  private held(kid: string): CryptoKey | undefined {
    return this.isHeld ? this.keys.get(kid) : undefined;
  }

  /** A clock that was set back ends every pause. */
  private mayFetch(): boolean {
    if (!this.last) return true;
    const passed = this.parts.now() - this.last.at;
    return passed < 0 || passed >= (this.isHeld ? this.parts.times.coolDown : this.pause());
  }

  /** After a success that aged beyond use there is none. */
  private pause(): number {
    const { firstPause, longestPause } = this.parts.times;
    return this.failures === 0 ? 0 : Math.min(longestPause, firstPause * 2 ** Math.min(this.failures - 1, 20));
  }

  private async fetch(): Promise<void> {
    const { source, log, now } = this.parts;
    const { issuer, metadata, alsoStatedAs } = this.issuer;
    try {
      const stated = alsoStatedAs === undefined ? [issuer] : [issuer, alsoStatedAs];
      this.keys = await source.read(metadata, stated, this.closing.signal);
      const at = now();
      this.fetchedAt = at;
      this.heldSince = at;
      this.last = { at };
      this.failures = 0;
      log.info({ issuer, keys: this.keys.size }, 'signing keys fetched');
    } catch (error) {
      const failure = error instanceof Error ? error.message : 'unknown';
      this.last = { at: now(), failure };
      this.failures += 1;
      if (!this.closing.signal.aborted) log.warn({ issuer, detail: failure, held: this.isHeld }, 'signing keys not fetched');
    }
  }

  private schedule(): void {
    if (this.closing.signal.aborted) return;
    const { refresh, longestPause } = this.parts.times;
    const delay = this.failures === 0 ? refresh : this.isHeld ? longestPause : this.pause();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), delay).unref();
  }
}

async function settled(work: Promise<void>, wait: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, Math.max(0, wait), false)));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
