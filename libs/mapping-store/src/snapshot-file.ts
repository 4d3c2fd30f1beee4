import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { StoredMapping } from '#claims';
import { z } from 'zod';

const refusal = z.strictObject({
  reason: z.string(),
  identity: z
    .strictObject({
      kind: z.enum(['mapping', 'claimSet']),
      tenant: z.string().optional(),
      name: z.string().optional(),
      applications: z.array(z.string()).optional(),
      include: z.array(z.string()),
    })
    .optional(),
});

const savedMapping = z.union([
  z.strictObject({
    origin: z.string(),
    revision: z.string(),
    document: z.unknown(),
    claimSets: z.array(z.strictObject({ document: z.unknown(), revision: z.string() })).optional(),
  }),
  z.strictObject({ origin: z.string(), revision: z.string(), refused: refusal }),
]);

const snapshotDocument = z.strictObject({
  format: z.literal(1),
  savedAt: z.iso.datetime(),
  /** SHA-256 of the mappings as JSON. */
  checksum: z.string(),
  mappings: z.array(savedMapping),
});

type SavedMapping = z.output<typeof savedMapping>;

const mappingsInPart = 100;

export type SavedSnapshot =
  | { readonly kind: 'saved'; readonly savedAt: Date; readonly mappings: readonly StoredMapping[] }
  | { readonly kind: 'none' }
  /** The file is there but not whole; it is never used. */
  | { readonly kind: 'damaged'; readonly detail: string };

/** The last mappings that compiled and which others were refused, on this machine's disk: what the service starts with when the store cannot be read. */
export class SnapshotFile {
  constructor(private readonly file: string) {}

  async read(): Promise<SavedSnapshot> {
    let text: string;
    try {
      text = await readFile(this.file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'none' };
      return { kind: 'damaged', detail: error instanceof Error ? error.message : 'cannot be read' };
    }
    let content: unknown;
    try {
      content = JSON.parse(text);
    } catch {
      return { kind: 'damaged', detail: 'is not JSON' };
    }
    const parsed = snapshotDocument.safeParse(content);
    if (!parsed.success) return { kind: 'damaged', detail: 'has an unknown format' };
    if (checksumOf(parsed.data.mappings) !== parsed.data.checksum)
      return { kind: 'damaged', detail: 'does not match its checksum' };
    return {
      kind: 'saved',
      savedAt: new Date(parsed.data.savedAt),
      mappings: parsed.data.mappings.map(mappingOf),
    };
  }

  /**
   * Replaces the file as a whole: a crash leaves the old one or the new one, never half of one. Written in parts, so that sign-ins
   * go on meanwhile however many mappings there are.
   */
  async write(mappings: readonly StoredMapping[], savedAt: Date): Promise<void> {
    await mkdir(path.dirname(this.file), { recursive: true, mode: 0o700 });
    const temporary = `${this.file}.${randomUUID()}.tmp`;
    try {
      const handle = await open(temporary, 'wx', 0o600);
      try {
        await handle.write(`{"format":1,"savedAt":${JSON.stringify(savedAt)},"mappings":`);
        const hash = createHash('sha256');
        for (const part of parts(mappings)) {
          hash.update(part);
          await handle.write(part);
        }
        await handle.write(`,"checksum":"${hash.digest('hex')}"}`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, this.file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

/** The JSON text of a list of the documents, in parts. */
function* parts(mappings: readonly StoredMapping[]): Generator<string> {
  let separator = '[';
  for (let start = 0; start < mappings.length; start += mappingsInPart) {
    const part = mappings.slice(start, start + mappingsInPart);
    yield separator + part.map((mapping) => JSON.stringify(savedOf(mapping))).join(',');
    separator = ',';
  }
  yield separator === '[' ? '[]' : ']';
}

/** What `savedMapping` reads. */
function savedOf({ origin, revision, content, claimSets }: StoredMapping): object {
  if (content.kind === 'document') return { origin, revision, document: content.document, ...(claimSets && { claimSets }) };
  const { reason, identity } = content;
  return { origin, revision, refused: { reason, ...(identity && { identity }) } };
}

function mappingOf(saved: SavedMapping): StoredMapping {
  const { origin, revision } = saved;
  if ('refused' in saved) return { origin, revision, content: { kind: 'unreadable', ...saved.refused } };
  const { document, claimSets } = saved;
  return { origin, revision, content: { kind: 'document', document }, ...(claimSets && { claimSets }) };
}

function checksumOf(mappings: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(mappings)).digest('hex');
}
