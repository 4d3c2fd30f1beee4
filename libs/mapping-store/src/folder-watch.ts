import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Following } from '#claims';
import { watch, type FSWatcher } from 'chokidar';

/** The folder is read again when it looked the same over this time: an editor, a check-out or an upload has come to its end. */
const quiet = 200;

const unreadable = 'unreadable';

/** The mapping files below a folder, by their paths with slashes, in order. Hidden files and folders are passed over. */
export async function mappingFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names
    .map((name) => name.split(path.sep).join('/'))
    .filter((name) => /\.ya?ml$/i.test(name) && !name.split('/').some((part) => part.startsWith('.')))
    .toSorted();
}

/**
 * Follows a folder by the system's own events, and by looking at it at an interval, for file systems that send none. Many changes
 * at once are told once, when they have come to an end.
 */
export class FolderWatch {
  private readonly watcher: FSWatcher;
  private readonly polling: NodeJS.Timeout;
  private told: string | undefined;
  private confirmedAt: Date | undefined;
  private settling = false;
  private again = false;
  private failed = false;
  private ready = false;
  private closed = false;

  constructor(
    private readonly folder: string,
    private readonly changed: () => void,
    interval: number,
  ) {
    // Hidden entries too: Kubernetes changes a mounted ConfigMap by swapping the link `..data`, to which the files' own links lead.
    this.watcher = watch(folder, { ignoreInitial: true, persistent: false, ignorePermissionErrors: true });
    this.watcher
      .on('all', () => void this.settle())
      .on('ready', () => (this.ready = true))
      .on('error', () => (this.failed = true));
    this.polling = setInterval(() => {
      if (!this.settling) void this.settle();
    }, interval).unref();
    void this.look().then((seen) => (this.told ??= seen));
  }

  get following(): Following {
    const listening = this.ready && !this.failed;
    return this.confirmedAt ? { listening, confirmedAt: this.confirmedAt } : { listening };
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.polling);
    await this.watcher.close();
  }

  /** Looks until nothing happens any more: what is told meanwhile may be of a file that was looked at already. */
  private async settle(): Promise<void> {
    this.again = true;
    if (this.settling) return;
    this.settling = true;
    try {
      while (this.again && !this.closed) {
        this.again = false;
        await this.tellOnce();
      }
    } finally {
      this.settling = false;
    }
  }

  /** Tells of a change once the folder looks the same twice. */
  private async tellOnce(): Promise<void> {
    let seen = await this.look();
    for (;;) {
      await wait(quiet, undefined, { ref: false });
      const next = await this.look();
      if (next === seen) break;
      seen = next;
    }
    if (this.closed) return;
    if (seen !== this.told) this.changed();
    else if (seen !== unreadable) this.confirmedAt = new Date();
    this.told = seen;
  }

  /** What is there, without contents: a text that differs when anything was written. */
  private async look(): Promise<string> {
    const hash = createHash('sha256');
    try {
      for (const name of await mappingFiles(this.folder)) {
        const found = await stat(path.join(this.folder, name), { bigint: true }).catch(() => undefined);
        hash.update(JSON.stringify([name, ...(found ? [found.ino, found.size, found.mtimeNs, found.ctimeNs].map(String) : [])]));
      }
    } catch {
      return unreadable;
    }
    return hash.digest('hex');
  }
}
