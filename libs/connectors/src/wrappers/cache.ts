import {
  Attributes,
  unavailable,
  type Found,
  type Keeping,
  type LookupQuery,
  type NotFound,
  type Outcome,
  type Source,
} from '#claims';
import { LRUCache } from 'lru-cache';
import { settleOn } from '../settle-on.js';
import { UnderWay } from '../under-way.js';
import { shed } from './bulkhead.js';
import { WrappedSource } from './wrapped-source.js';

/** How long the answers of a lookup serve, in milliseconds. */
export interface CacheTimes {
  /** An entry that was found serves that long. */
  readonly ttl: number;
  /** After that it serves this much longer while it is asked for again, unless that failed. */
  readonly staleWhileRevalidate: number;
  /** That nothing was found serves that long. */
  readonly negativeTtl: number;
}

export interface CacheLimits {
  readonly entries: number;
  readonly bytes: number;
}

/** How an answer was come by; `handedOver`: it came late for an earlier call. */
export type CacheUse = 'hit' | 'revalidating' | 'handedOver' | 'joined' | 'asked';

/** Whom an answer is about, as far as the question says it. */
interface Question {
  readonly tenant: string;
  readonly parameters: LookupQuery['parameters'];
}

interface Kept {
  readonly question: Question;
  readonly outcome: Found | NotFound;
  readonly at: number;
  /** Until when it serves although it is no longer fresh, because a call did not get to see it. */
  readonly handOverUntil: number;
  /** How old it may become as the last known answer, by whoever keeps one longest. */
  readonly lastKnown: number;
  /** The source was asked again since, and was unavailable, or left alone because it fails. */
  failed: boolean;
}

interface Flight {
  readonly question: Question;
  readonly outcome: Promise<Outcome>;
  readonly work: AbortController;
  waiting: number;
  /** Somebody who waited will ask again. */
  handOver: boolean;
  /** Somebody who will ask again has left without an answer. */
  left: boolean;
  /** Whose answer it is asked to be forgotten meanwhile. */
  erased: boolean;
}

/** What became of an erasure. */
export interface Erased {
  readonly answers: number;
  /** Texts of the erased answers by which further answers may have been found. */
  readonly texts: readonly string[];
}

/** How long an answer is kept that came too late: Entra asks once more within its own time limit of 2 s at most. */
const handOverTime = 10_000;

/** What an entry weighs besides its attributes, about. */
const overhead = 200;

/**
 * Keeps answers and shares work. A request's signal bounds its wait here, and not the work: that belongs to no request. It goes on
 * until the source's own limit, unless nobody waits and nobody will ask again, and an answer that comes late is kept for Entra's retry.
 *
 * `unavailable` never becomes `found`: it carries the last known answer, and a claim decides. An answer that somebody is not there, or
 * there twice, ends what was known before.
 */
export class Cache extends WrappedSource {
  private readonly kept: LRUCache<string, Kept>;
  private readonly flights = new UnderWay<string, Flight>();

  constructor(
    inner: Source,
    private readonly times: (lookup: string) => CacheTimes,
    limits: CacheLimits,
    private readonly listener: (lookup: string, use: CacheUse) => void,
  ) {
    super(inner);
    // A resolution other than 0 sets a timer for every answer that is looked at.
    this.kept = new LRUCache({ max: limits.entries, maxSize: limits.bytes, perf: { now }, ttlResolution: 0 });
  }

  /** What is kept now. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.kept.size, bytes: this.kept.calculatedSize };
  }

  override fetch(query: LookupQuery, signal: AbortSignal): Promise<Outcome> {
    const { keeping } = query;
    if (!keeping) return this.inner.fetch(query, signal);
    const key = keyOf(query, keeping);
    if (keeping.lastKnownOnly) return Promise.resolve(this.attachLastKnown(unavailable('input'), key, keeping));

    const { lookup } = query;
    const kept = this.kept.get(key);
    const use = kept && this.useOf(kept, lookup);
    if (kept && use) {
      this.listener(lookup, use);
      if (use === 'revalidating') (this.flights.get(key) ?? this.start(key, query, keeping)).handOver ||= !keeping.noHandOver;
      return Promise.resolve({ ...kept.outcome, age: now() - kept.at });
    }
    const underWay = this.flights.get(key);
    this.listener(lookup, underWay ? 'joined' : 'asked');
    return this.wait(underWay ?? this.start(key, query, keeping), key, keeping, signal);
  }

  /**
   * What a call would get without waiting for the source, undefined where it would wait. Nothing is kept, refreshed, started or
   * counted by it.
   */
  glance(query: LookupQuery): Outcome | undefined {
    const { keeping, lookup } = query;
    if (!keeping) return undefined;
    const key = keyOf(query, keeping);
    if (keeping.lastKnownOnly) return this.attachLastKnown(unavailable('input'), key, keeping);
    const kept = this.kept.peek(key);
    return kept && this.useOf(kept, lookup) && { ...kept.outcome, age: now() - kept.at };
  }

  /** An outcome as a call would get it: one that is unavailable carries the last known answer. */
  withLastKnown(outcome: Outcome, query: LookupQuery): Outcome {
    const { keeping } = query;
    return keeping ? this.attachLastKnown(outcome, keyOf(query, keeping), keeping) : outcome;
  }

  /**
   * Forgets the answers of a tenant that were found by one of these texts or hold one of them, last known and handed-over ones among
   * them; what is being asked for by them will not be kept. Texts are in lower case.
   * @param follow the attributes, in lower case, whose values are told for further erasures
   */
  erase(
    tenant: string,
    { foundBy, holding }: { readonly foundBy: ReadonlySet<string>; readonly holding: ReadonlySet<string> },
    follow: ReadonlySet<string>,
  ): Erased {
    const further: string[] = [];
    let answers = 0;
    const isFoundBy = (question: Question): boolean =>
      question.tenant === tenant && [...question.parameters.values()].some((value) => foundBy.has(value.toLowerCase()));
    for (const flight of this.flights.values()) if (isFoundBy(flight.question)) flight.erased = true;
    const keys = [...this.kept.keys()];
    for (const key of keys) {
      const kept = this.kept.peek(key, { allowStale: true });
      if (kept?.question.tenant !== tenant) continue;
      const attributes = kept.outcome.kind === 'found' ? kept.outcome.attributes : new Attributes();
      if (!isFoundBy(kept.question) && !holdsAny(attributes, holding)) continue;
      for (const name of follow)
        further.push(...attributes.get(name).filter((value): value is string => typeof value === 'string'));
      this.kept.delete(key);
      answers += 1;
    }
    return { answers, texts: further };
  }

  /** Work that goes on for who may ask again is ended: nobody will. */
  override close(): Promise<void> {
    for (const flight of this.flights.values()) flight.work.abort();
    return super.close();
  }

  private useOf({ outcome, at, handOverUntil, failed }: Kept, lookup: string): 'hit' | 'revalidating' | 'handedOver' | undefined {
    const { ttl, staleWhileRevalidate, negativeTtl } = this.times(lookup);
    const age = now() - at;
    if (age < (outcome.kind === 'found' ? ttl : negativeTtl)) return 'hit';
    if (now() < handOverUntil) return 'handedOver';
    return outcome.kind === 'found' && !failed && age < ttl + staleWhileRevalidate ? 'revalidating' : undefined;
  }

  private wait(flight: Flight, key: string, keeping: Keeping, signal: AbortSignal): Promise<Outcome> {
    flight.waiting += 1;
    if (!keeping.noHandOver) flight.handOver = true;
    const leave = (): void => {
      flight.waiting -= 1;
      if (flight.waiting === 0 && !flight.handOver) this.end(flight, key);
    };
    return settleOn(signal, flight.outcome).then(
      (outcome) => {
        const isLate = outcome === 'aborted';
        if (isLate) flight.left ||= !keeping.noHandOver;
        leave();
        return this.attachLastKnown(isLate ? unavailable('deadline') : outcome, key, keeping);
      },
      (error: unknown) => {
        leave();
        throw error;
      },
    );
  }

  private start(key: string, query: LookupQuery, keeping: Keeping): Flight {
    const work = new AbortController();
    const { lookup, parameters } = query;
    const question = { tenant: keeping.tenant, parameters };
    const landed = (): void => {
      if (this.flights.get(key) === flight) this.flights.delete(key);
    };
    const flight: Flight = {
      question,
      work,
      waiting: 0,
      handOver: false,
      left: false,
      erased: false,
      outcome: this.inner.fetch(query, work.signal).then(
        (settled) => {
          landed();
          if (!work.signal.aborted && !flight.erased) this.keep(key, { lookup, question }, settled, keeping, flight.left);
          return settled;
        },
        (error: unknown) => {
          landed();
          throw error;
        },
      ),
    };
    flight.outcome.catch(() => undefined);
    this.flights.set(key, flight);
    return flight;
  }

  /** Whoever asks from now on asks anew: an answer to work that was ended is none. */
  private end(flight: Flight, key: string): void {
    if (this.flights.get(key) === flight) this.flights.delete(key);
    flight.work.abort();
  }

  private keep(
    key: string,
    { lookup, question }: { readonly lookup: string; readonly question: Question },
    outcome: Outcome,
    keeping: Keeping,
    late: boolean,
  ): void {
    // What serves until the source was asked again serves on: it was not.
    if (outcome === shed) return;
    if (outcome.kind === 'unavailable') {
      const kept = this.kept.peek(key);
      if (kept) kept.failed = true;
      return;
    }
    const lastKnown = Math.max(keeping.lastKnown, this.kept.peek(key)?.lastKnown ?? 0);
    const isWorthKeeping = outcome.kind === 'found' || (isNobody(outcome) && keeping.lastKnownNobody);
    const lifetime = outcome.kind === 'ambiguous' ? 0 : this.lifetime(outcome, lookup, isWorthKeeping ? lastKnown : 0, late);
    if (outcome.kind === 'ambiguous' || lifetime <= 0) {
      this.kept.delete(key);
      return;
    }
    const at = now();
    const size = overhead + key.length * 2 + (outcome.kind === 'found' ? outcome.attributes.bytes : 0);
    const entry = { question, outcome, at, handOverUntil: late ? at + handOverTime : 0, lastKnown, failed: false };
    this.kept.set(key, entry, { ttl: lifetime, size });
  }

  private lifetime(outcome: Found | NotFound, lookup: string, lastKnown: number, late: boolean): number {
    const { ttl, staleWhileRevalidate, negativeTtl } = this.times(lookup);
    const serving = outcome.kind === 'found' ? ttl + (ttl > 0 ? staleWhileRevalidate : 0) : negativeTtl;
    return Math.max(serving, lastKnown, late ? handOverTime : 0);
  }

  private attachLastKnown(outcome: Outcome, key: string, keeping: Keeping): Outcome {
    if (outcome.kind !== 'unavailable') return outcome;
    const kept = this.kept.peek(key);
    const age = kept === undefined ? Infinity : now() - kept.at;
    if (kept === undefined || age > keeping.lastKnown) return outcome;
    if (kept.outcome.kind === 'found') return { ...outcome, lastKnown: { attributes: kept.outcome.attributes, age } };
    return isNobody(kept.outcome) && keeping.lastKnownNobody ? { ...outcome, lastKnownNobody: age } : outcome;
  }
}

const isNobody = (outcome: Outcome): boolean => outcome.kind === 'notFound' && outcome.reason === 'noEntry';

const now = (): number => performance.now();

/**
 * One text for each different question, and never one for two: every part says how long it is, and how many parameters there are. The
 * projection, of which a plan has one and the same list for every sign-in, comes last.
 */
function keyOf({ lookup, locateRule, parameters, projection }: LookupQuery, { tenant }: Keeping): string {
  const named = parameters.size > 1 ? [...parameters].toSorted(byName) : parameters;
  let key = `${locateRule ?? -1};${parameters.size};${framed(tenant)}${framed(lookup)}`;
  for (const [name, value] of named) key += framed(name) + framed(value);
  return key + projectionText(projection);
}

const framed = (text: string): string => `${text.length}:${text}`;

const projectionTexts = new WeakMap<readonly string[], string>();

function projectionText(projection: readonly string[]): string {
  let text = projectionTexts.get(projection);
  if (text === undefined) projectionTexts.set(projection, (text = projection.map(framed).join('')));
  return text;
}

function holdsAny(attributes: Attributes, texts: ReadonlySet<string>): boolean {
  if (texts.size === 0) return false;
  return attributes.names.some((name) =>
    attributes.get(name).some((value) => typeof value === 'string' && texts.has(value.toLowerCase())),
  );
}

function byName([left]: readonly [string, string], [right]: readonly [string, string]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
