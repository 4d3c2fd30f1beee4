import { setTimeout as wait } from 'node:timers/promises';
import {
  MappingSnapshot,
  checkCandidate,
  resolveClaims,
  type CompileContext,
  type CompileResult,
  type ConfigurationIssue,
  type Deadline,
  type MappingStore,
  type Plan,
  type Resolution,
  type ResolveOptions,
  type Selection,
  type Selector,
  type StoredMapping,
  type Subject,
} from '#claims';
import type { SnapshotFile } from '#mapping-store';
import type { Logger } from '#observability';

/** Which mappings are in force, and where they came from. */
export interface MappingState {
  /** none: nothing could be loaded yet, and no snapshot file was there to start with. */
  readonly kind: 'none' | 'loaded';
  readonly store: {
    readonly kind: string;
    readonly state: 'up' | 'down' | 'unknown';
    /** Whether a publish would be heard of at once. */
    readonly listening: boolean;
    readonly checkedAt?: Date;
    readonly lastError?: { readonly detail: string; readonly at: Date };
  };
  readonly snapshot: {
    readonly origin: 'store' | 'file' | 'none';
    /** When the mappings in force were last seen to be those of the store. */
    readonly asOf?: Date;
    readonly mappings: number;
    readonly problems: MappingSnapshot['problems'];
    readonly file: 'written' | 'none' | 'failed';
  };
}

/**
 * The mappings in force, compiled, and the resolution of a sign-in by them. Holds everything in memory: a sign-in never waits for
 * the store. The store may be unreachable at any time; the last mappings that compiled stay in force, over restarts by the
 * snapshot file.
 */
export class ClaimMappingService {
  private snapshot: MappingSnapshot | undefined;
  private loadedAt: Date | undefined;
  private origin: MappingState['snapshot']['origin'] = 'none';
  private fileState: MappingState['snapshot']['file'] = 'none';
  private storeState: Omit<MappingState['store'], 'listening'>;
  private timer: NodeJS.Timeout | undefined;
  private following: Disposable | undefined;
  private loading: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;

  constructor(
    private readonly store: MappingStore,
    private readonly file: SnapshotFile | undefined,
    /** What mappings can refer to. */
    readonly context: CompileContext,
    private readonly log: Logger,
  ) {
    this.storeState = { kind: store.kind, state: 'unknown' };
  }

  /**
   * Loads, follows the store from then on, and tries again at this interval while it cannot be read. Resolves when the mappings are
   * loaded, or after `patience` milliseconds: what a store that hangs does not give comes later.
   */
  async start(retryInterval = 10_000, patience = 3_000): Promise<void> {
    this.following = this.store.onPublish(() => void this.load());
    this.timer = setInterval(() => {
      if (this.storeState.state === 'down') void this.load();
    }, retryInterval).unref();
    const gaveUp = new AbortController();
    await Promise.race([this.load(), wait(patience, undefined, { signal: gaveUp.signal }).catch(() => undefined)]);
    gaveUp.abort();
  }

  close(): void {
    clearInterval(this.timer);
    this.following?.[Symbol.dispose]();
  }

  /** One load at a time; all who ask while one is under way share the next. */
  load(): Promise<void> {
    this.next ??= this.loading.then(() => {
      this.next = undefined;
      return (this.loading = this.loadNow().catch((error: unknown) => {
        this.failed('the mappings could not be loaded');
        this.log.error({ err: error }, 'mappings: could not be loaded');
      }));
    });
    return this.next;
  }

  /** Takes the snapshot file first, then the store; each mapping that does not compile keeps its last compiled revision. */
  private async loadNow(): Promise<void> {
    if (this.snapshot === undefined) await this.loadFile();
    const loaded = await this.store.load();
    const now = new Date();
    if (loaded.kind === 'unavailable') {
      this.failed(loaded.detail);
      this.log.error({ store: this.store.kind, detail: loaded.detail }, 'mappings: the store cannot be read');
      return;
    }
    this.snapshot = await MappingSnapshot.load(loaded.mappings, this.context, this.snapshot);
    this.storeState = { ...this.storeState, state: 'up', checkedAt: now };
    this.loadedAt = now;
    this.origin = 'store';
    for (const { origin, retained, issues } of this.snapshot.problems)
      for (const { path, line, reason } of issues)
        this.log.error(
          { mapping: origin, path: path.join('.'), line, reason, retained },
          retained ? 'mappings: refused, its last revision stays in force' : 'mappings: refused, its applications get no token',
        );
    this.log.info({ mappings: this.snapshot.size, refused: this.snapshot.problems.length }, 'mappings: loaded');
    await this.saveFile(this.snapshot, now);
  }

  /** Until a load succeeds, it is tried again at an interval. */
  private failed(detail: string): void {
    const at = new Date();
    this.storeState = { kind: this.store.kind, state: 'down', checkedAt: at, lastError: { detail, at } };
  }

  get state(): MappingState {
    const { listening } = this.store.following;
    const { asOf } = this;
    return {
      kind: this.snapshot === undefined ? 'none' : 'loaded',
      store: { ...this.storeState, listening },
      snapshot: {
        origin: this.origin,
        ...(asOf && { asOf }),
        mappings: this.snapshot?.size ?? 0,
        problems: this.snapshot?.problems ?? [],
        file: this.fileState,
      },
    };
  }

  /** While nothing is told and nothing fails, what was loaded is still what the store has. */
  private get asOf(): Date | undefined {
    const { confirmedAt } = this.store.following;
    const confirmed = this.storeState.state === 'up' && confirmedAt !== undefined && confirmedAt > this.loadedAt!;
    return confirmed ? confirmedAt : this.loadedAt;
  }

  /**
   * The mapping of a call; `unloaded` while there are no mappings at all. No I/O.
   * @param call undefined: it names no application, so no mapping is for it
   */
  select(tenant: string, call: Omit<Selector, 'tenant'> | undefined): Selection | { readonly kind: 'unloaded' } {
    if (!call) return { kind: 'none' };
    return this.snapshot?.select({ tenant, ...call }) ?? { kind: 'unloaded' };
  }

  /** The claims that a mapping gives a person, by the deadline. */
  resolve(
    selection: Extract<Selection, { kind: 'mapping' }>,
    subject: Subject | undefined,
    deadline: Deadline,
    options: ResolveOptions = {},
  ): Promise<Resolution> {
    return resolveClaims(selection.plan, subject, deadline, { ...options, call: selection.call });
  }

  /** The documents in force, as they were stored. */
  get stored(): readonly StoredMapping[] {
    return this.snapshot?.stored ?? [];
  }

  /** What is compiled now, so that a check compiles nothing twice. */
  get compiled(): MappingSnapshot {
    return this.snapshot ?? MappingSnapshot.empty;
  }

  /** See `MappingSnapshot.plansOf`. */
  plansOf(tenant: string): readonly Plan[] {
    return this.snapshot?.plansOf(tenant) ?? [];
  }

  /** See `checkCandidate`. */
  checkCandidate(candidate: StoredMapping, { tenant, mapping: name }: Plan): Promise<readonly ConfigurationIssue[]> {
    return checkCandidate(candidate, { tenant, name }, this.context, this.compiled);
  }

  /** See `MappingSnapshot.compileBeside`. */
  compileBeside(candidate: StoredMapping): CompileResult {
    return this.compiled.compileBeside(candidate, this.context);
  }

  /** See `MappingSnapshot.selectBeside`. */
  selectBeside(
    candidate: StoredMapping,
    tenant: string,
    call: Omit<Selector, 'tenant'> | undefined,
  ): ReturnType<MappingSnapshot['selectBeside']> {
    return this.compiled.selectBeside(candidate, this.context, call && { tenant, ...call });
  }

  private async loadFile(): Promise<void> {
    const saved = await this.file?.read();
    if (saved?.kind === 'damaged') this.log.error({ detail: saved.detail }, 'mappings: the snapshot file is not used');
    if (saved?.kind !== 'saved') return;
    this.snapshot = await MappingSnapshot.compileInTurns(saved.mappings, this.context);
    this.loadedAt = saved.savedAt;
    this.origin = 'file';
    this.fileState = 'written';
  }

  private async saveFile(snapshot: MappingSnapshot, savedAt: Date): Promise<void> {
    if (this.file === undefined) return;
    try {
      await this.file.write(snapshot.lasting, savedAt);
      this.fileState = 'written';
    } catch (error) {
      this.fileState = 'failed';
      this.log.error({ err: error }, 'mappings: the snapshot file cannot be written');
    }
  }
}
