import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { MappingStore, type Following, type LoadedMappings, type StoredMapping, revisionOf } from '#claims';
import { LineCounter, parseDocument } from 'yaml';
import { maximumBytes } from './document-content.js';
import { FolderWatch, mappingFiles } from './folder-watch.js';
import { Listeners } from './listeners.js';

/**
 * A folder of YAML files, one document each, in sub-folders too. Files and folders whose name begins with a dot are passed over. A
 * folder that is suddenly empty counts as one that cannot be read: a mount that went away looks like that.
 */
export class FileMappingStore extends MappingStore {
  override readonly kind = 'files';
  private readonly listeners = new Listeners();
  private watch: FolderWatch | undefined;
  private held = 0;

  constructor(
    private readonly folder: string,
    /** How often the folder is looked at, whatever the system tells, in milliseconds. */
    private readonly polling = 30_000,
  ) {
    super();
  }

  override get following(): Following {
    return this.watch?.following ?? { listening: false };
  }

  override async load(): Promise<LoadedMappings> {
    let origins: readonly string[];
    try {
      origins = await mappingFiles(this.folder);
    } catch (error) {
      return { kind: 'unavailable', detail: `the folder of mappings cannot be read (${codeOf(error)})` };
    }
    if (origins.length === 0 && this.held > 0)
      return { kind: 'unavailable', detail: `the folder of mappings is empty and held ${this.held}; restart if that is meant` };
    this.held = origins.length;
    return { kind: 'loaded', mappings: await Promise.all(origins.map((origin) => this.read(origin))) };
  }

  override onPublish(listener: () => void): Disposable {
    this.watch ??= new FolderWatch(this.folder, () => this.listeners.tell(), this.polling);
    return this.listeners.add(listener);
  }

  override async close(): Promise<void> {
    await this.watch?.close();
  }

  private async read(origin: string): Promise<StoredMapping> {
    const file = path.join(this.folder, origin);
    try {
      const { size } = await stat(file);
      if (size > maximumBytes) return unreadable(origin, `is larger than ${maximumBytes} bytes`);
      return parseMapping(origin, await readFile(file, 'utf8'));
    } catch (error) {
      return unreadable(origin, `cannot be read (${codeOf(error)})`);
    }
  }
}

/** One mapping from its YAML text. Duplicate keys and more than one document are refused; aliases are bounded by the parser. */
export function parseMapping(origin: string, text: string): StoredMapping {
  try {
    const lines = new LineCounter();
    const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const [error] = yaml.errors;
    if (error) return unreadable(origin, `is not valid YAML: line ${lines.linePos(error.pos[0]).line}: ${error.message}`);
    const document: unknown = yaml.toJS();
    const content = { kind: 'document', document } as const;
    return { origin, revision: revisionOf(document), content, linesOf: (paths) => linesIn(text, paths) };
  } catch (failure) {
    return unreadable(origin, `is not valid YAML: ${failure instanceof Error ? failure.message : 'unknown error'}`);
  }
}

/** Where parts of a document stand. It is parsed once more for that: its nodes are ten times its text, and only a refused one is asked. */
function linesIn(text: string, paths: readonly (readonly (string | number)[])[]): readonly number[] {
  const lines = new LineCounter();
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  return paths.map((at) => {
    for (let depth = at.length; depth > 0; depth--) {
      const node = yaml.getIn(at.slice(0, depth), true);
      const start =
        typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range) ? node.range[0] : undefined;
      if (typeof start === 'number') return lines.linePos(start).line;
    }
    return 1;
  });
}

function unreadable(origin: string, reason: string): StoredMapping {
  return { origin, revision: 'unreadable', content: { kind: 'unreadable', reason } };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
