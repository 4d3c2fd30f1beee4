import {
  MappingSnapshot,
  resolveClaims,
  type CompileContext,
  type Deadline,
  type MappingStore,
  type Resolution,
  type Selection,
  type Selector,
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
    readonly checkedAt?: Date;
    readonly lastError?: { readonly detail: string; readonly at: Date };
  };
  readonly snapshot: {
    readonly origin: 'store' | 'file' | 'none';
    /** When the mappings in force were read from the store. */
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
  private asOf: Date | undefined;
  private origin: MappingState['snapshot']['origin'] = 'none';
  private fileState: MappingState['snapshot']['file'] = 'none';
  private storeState: MappingState['store'];
  private timer: NodeJS.Timeout | undefined;
  private loading: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: MappingStore,
    private readonly file: SnapshotFile | undefined,
    private readonly context: CompileContext,
    private readonly log: Logger,
  ) {
    this.storeState = { kind: store.kind, state: 'unknown' };
  }

  /** Loads, and tries again at this interval while the store cannot be read. */
  async start(retryInterval = 10_000): Promise<void> {
    await this.load();
    this.timer = setInterval(() => {
      if (this.storeState.state === 'down') void this.load();
    }, retryInterval).unref();
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** One load at a time, in the order of the calls. */
  load(): Promise<void> {
    return (this.loading = this.loading.catch(() => undefined).then(() => this.loadNow()));
  }

  /** Takes the snapshot file first, then the store; each mapping that does not compile keeps its last compiled revision. */
  private async loadNow(): Promise<void> {
    if (this.snapshot === undefined) await this.loadFile();
    const loaded = await this.store.load();
    const now = new Date();
    if (loaded.kind === 'unavailable') {
      this.storeState = { kind: this.store.kind, state: 'down', checkedAt: now, lastError: { detail: loaded.detail, at: now } };
      this.log.error({ store: this.store.kind, detail: loaded.detail }, 'mappings: the store cannot be read');
      return;
    }
    this.storeState = { ...this.storeState, state: 'up', checkedAt: now };
    this.snapshot = await MappingSnapshot.load(loaded.mappings, this.context, this.snapshot);
    this.asOf = now;
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

  get state(): MappingState {
    return {
      kind: this.snapshot === undefined ? 'none' : 'loaded',
      store: this.storeState,
      snapshot: {
        origin: this.origin,
        ...(this.asOf && { asOf: this.asOf }),
        mappings: this.snapshot?.size ?? 0,
        problems: this.snapshot?.problems ?? [],
        file: this.fileState,
      },
    };
  }

  /** The mapping of a call; `unloaded` while there are no mappings at all. No I/O. */
  select(selector: Selector): Selection | { readonly kind: 'unloaded' } {
    return this.snapshot?.select(selector) ?? { kind: 'unloaded' };
  }

  /** The claims that a mapping gives a person, by the deadline. */
  resolve(
    selection: Extract<Selection, { kind: 'mapping' }>,
    subject: Subject | undefined,
    deadline: Deadline,
  ): Promise<Resolution> {
    return resolveClaims(selection.plan, subject, deadline, { call: selection.call });
  }

  private async loadFile(): Promise<void> {
    const saved = await this.file?.read();
    if (saved?.kind === 'damaged') this.log.error({ detail: saved.detail }, 'mappings: the snapshot file is not used');
    if (saved?.kind !== 'saved') return;
    this.snapshot = MappingSnapshot.compile(saved.mappings, this.context);
    this.asOf = saved.savedAt;
    this.origin = 'file';
    this.fileState = 'written';
  }

  private async saveFile(snapshot: MappingSnapshot, savedAt: Date): Promise<void> {
    if (this.file === undefined) return;
    try {
      await this.file.write(snapshot.stored, savedAt);
      this.fileState = 'written';
    } catch (error) {
      this.fileState = 'failed';
      this.log.error({ err: error }, 'mappings: the snapshot file cannot be written');
    }
  }
}
