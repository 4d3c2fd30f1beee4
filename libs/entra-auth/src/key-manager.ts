import { IssuerKeys, type KeyAnswer, type KeyLog, type KeySetStatus, type KeyTimes } from './issuer-keys.js';
import { KeySource, type SigningKeys } from './key-source.js';
import type { TrustedIssuer } from './trust-configuration.js';

export interface KeyManagerOptions {
  /** An issuer may be named more than once, always with the same metadata. */
  readonly issuers: readonly TrustedIssuer[];
  /** PEM. Where it is set, metadata and keys are accepted only from servers that this authority vouches for. */
  readonly ca?: string;
  /** How long metadata and keys together may take, in milliseconds; 1,500 by default. */
  readonly timeoutMs?: number;
  readonly times?: Partial<KeyTimes>;
  /**
   * Keys by issuer to begin with where its metadata cannot be reached (`readPinnedKeys`). The first fetch that succeeds replaces them;
   * without one they age as fetched keys do.
   */
  readonly pinned?: ReadonlyMap<string, SigningKeys>;
  readonly log?: KeyLog;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const defaultTimes: KeyTimes = {
  refresh: 60 * 60_000,
  coolDown: 30_000,
  maximumAge: 24 * 60 * 60_000,
  firstPause: 500,
  longestPause: 30_000,
};

const noLog: KeyLog = { info: () => undefined, warn: () => undefined };

/**
 * The signing keys of every issuer that is trusted, each for its own tokens only. Several verifiers may share one manager.
 *
 * Keys come from the issuer's metadata at `start`, every hour, and when a `kid` is unknown, but then at most every 30 s an issuer. A
 * fetch that fails takes no keys away; what is held serves for 24 h. Without keys it is tried again after short pauses.
 */
export class KeyManager {
  private readonly sets = new Map<string, IssuerKeys>();
  private readonly source: KeySource;
  private readonly timeoutMs: number;

  /** @throws Error where a metadata address is not https, one issuer has two, or keys are pinned for an issuer that is not named */
  constructor(options: KeyManagerOptions) {
    this.timeoutMs = options.timeoutMs ?? 1_500;
    this.source = new KeySource({ ca: options.ca, timeoutMs: this.timeoutMs });
    const parts = {
      source: this.source,
      times: { ...defaultTimes, ...options.times },
      log: options.log ?? noLog,
      now: options.now ?? Date.now,
    };
    for (const issuer of distinct(options.issuers)) {
      const pinned = options.pinned?.get(issuer.issuer);
      this.sets.set(issuer.issuer, new IssuerKeys(issuer, { ...parts, ...(pinned && { pinned }) }));
    }
    for (const issuer of options.pinned?.keys() ?? [])
      if (!this.knows(issuer)) throw new Error(`keys are pinned for ${issuer}, which is no issuer of the configuration`);
  }

  /** Fetches all keys for the first time. Settles when each issuer was tried once, and never rejects: it goes on by itself. */
  async start(): Promise<void> {
    await Promise.all([...this.sets.values()].map((set) => set.refresh()));
  }

  /** Whether keys of at least one issuer are held. `TokenVerifier.ready` tells it for each tenant. */
  get ready(): boolean {
    return [...this.sets.values()].some((set) => set.isHeld);
  }

  knows(issuer: string): boolean {
    return this.sets.has(issuer);
  }

  /** Whether keys of this issuer are held. */
  holds(issuer: string): boolean {
    return this.sets.get(issuer)?.isHeld ?? false;
  }

  /**
   * The key by which the issuer signed. Ask only for tokens that claim to be ours: an unknown `kid` may cause a fetch.
   * @param waitMs how long a fetch may be waited for; it goes on after that
   * @throws Error for an issuer that the manager was not given
   */
  async key(issuer: string, kid: string, waitMs: number = this.timeoutMs): Promise<KeyAnswer> {
    const set = this.sets.get(issuer);
    if (!set) throw new Error('the key manager does not know this issuer');
    return set.key(kid, waitMs);
  }

  /** One line for each issuer. */
  status(): KeySetStatus[] {
    return [...this.sets.values()].map((set) => set.status());
  }

  /** Ends every fetch and timer. */
  async close(): Promise<void> {
    await Promise.all([...this.sets.values()].map((set) => set.close()));
    await this.source.close();
  }
}

function distinct(issuers: readonly TrustedIssuer[]): TrustedIssuer[] {
  const byName = new Map<string, TrustedIssuer>();
  for (const issuer of issuers) {
    const { metadata } = byName.get(issuer.issuer) ?? issuer;
    if (metadata !== issuer.metadata) throw new Error(`${issuer.issuer} has two metadata addresses`);
    if (!URL.canParse(metadata) || new URL(metadata).protocol !== 'https:')
      throw new Error(`the metadata address of ${issuer.issuer} is not https`);
    byName.set(issuer.issuer, issuer);
  }
  return [...byName.values()];
}
