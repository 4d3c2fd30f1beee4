import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { lockableAccountHold, RefusedCredentials } from '../refused-credentials.js';
import { settleOn } from '../settle-on.js';

/** Why a secret must not be sent to any server now. */
export interface Objection {
  readonly reason: 'credentials' | 'connection';
  readonly detail: string;
}

/**
 * So many binds may be without an answer by a secret that a server has accepted; by any other one, until its answer is not to be expected
 * any more: a server that takes binds and never answers must not keep a service from the others for long.
 */
const mostUnanswered = 2;

/** A secret that was accepted so short a while ago is offered by several sources at once. */
const fresh = 1_000;

/** More than are in use at any time; those beyond are secrets that were replaced. */
const mostSecrets = 1_000;

/**
 * What became of the secrets that this process offered to directories. Sources share it: several that bind as one account are one to
 * the directory, which counts what they are refused together.
 */
export class OfferedSecrets {
  private readonly key = randomBytes(32);
  private readonly secrets = new LRUCache<string, OfferedSecret>({ max: mostSecrets });

  /** The same for the same account, ignoring case, and the same secret, of which a keyed hash is kept. */
  of(account: string, secret: string): OfferedSecret {
    const text = JSON.stringify([account.toLowerCase(), secret]);
    const hash = createHmac('sha256', this.key).update(text).digest('base64');
    const known = this.secrets.get(hash);
    if (known) return known;
    const offered = new OfferedSecret();
    this.secrets.set(hash, offered);
    return offered;
  }
}

/** What became of one secret where it was offered. */
export class OfferedSecret {
  private readonly held = new RefusedCredentials(lockableAccountHold);
  private why: Objection | undefined;
  /** Undefined where none has, or one has refused it since. */
  private acceptedAt: number | undefined;
  private readonly unanswered = new Set<{ readonly url: string; overdue: boolean }>();
  private trial: Promise<void> | undefined;

  get objection(): Objection | undefined {
    if (this.why && this.held.has('')) {
      const { reason, detail } = this.why;
      return { reason, detail: `${detail}; not tried again until it changes, or for ${this.minutes} minutes` };
    }
    const [first] = this.unanswered;
    return first && this.unanswered.size >= (this.wasAccepted || first.overdue ? mostUnanswered : 1)
      ? { reason: 'connection', detail: `${first.url}: an earlier bind has no answer yet` }
      : undefined;
  }

  /** A server has accepted it, and none has refused it since. */
  get wasAccepted(): boolean {
    return this.acceptedAt !== undefined;
  }

  /** A bind by it has no answer. */
  get isInDoubt(): boolean {
    return this.unanswered.size > 0;
  }

  /** For which it is held back still. */
  get minutes(): number {
    return Math.ceil(this.held.remaining('') / 60_000);
  }

  /** Waits until no other bind by it is under way, except where it was accepted just now. */
  async takeTurn(signal: AbortSignal): Promise<{ readonly end: () => void } | 'aborted'> {
    while (!this.isFresh && this.trial) if ((await settleOn(signal, this.trial)) === 'aborted') return 'aborted';
    if (this.isFresh) return { end: () => undefined };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.trial = promise;
    return {
      end: () => {
        if (this.trial === promise) this.trial = undefined;
        resolve();
      },
    };
  }

  accepted(): void {
    this.acceptedAt = performance.now();
    this.held.clear();
    this.unanswered.clear();
  }

  /** True where that was not known. Several binds that were under way together are one refusal. */
  refused(detail: string): boolean {
    const isNews = !this.held.has('') || this.why?.reason !== 'credentials';
    this.acceptedAt = undefined;
    this.unanswered.clear();
    this.hold({ reason: 'credentials', detail });
    return isNews;
  }

  /** A bind was given up without an answer. What it gives is called when that one has an answer, or can have none any more. */
  givenUp(url: string): { readonly settled: () => void; readonly overdue: () => boolean } {
    const bind = { url, overdue: false };
    this.unanswered.add(bind);
    return {
      settled: () => void this.unanswered.delete(bind),
      overdue: () => this.overdue(bind),
    };
  }

  /** The answer is not to be expected any more, and yet the server may count the bind. True where the secret is held back for it. */
  private overdue(bind: { readonly url: string; overdue: boolean }): boolean {
    bind.overdue = true;
    if (!this.unanswered.has(bind) || !this.objection) return false;
    this.unanswered.clear();
    this.hold({ reason: 'connection', detail: `${bind.url}: bind without an answer` });
    return true;
  }

  private hold(why: Objection): void {
    if (!this.held.has('')) this.held.add('');
    this.why = why;
  }

  private get isFresh(): boolean {
    return this.acceptedAt !== undefined && performance.now() - this.acceptedAt < fresh;
  }
}
