import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { StoredMapping } from '#claims';
import { FileMappingStore, parseMapping } from '#mapping-store';
import { CommandError, exitCodes } from '../exit-codes.js';

/**
 * The documents of files and folders, in the order of the paths; a folder's in the order of their names, sub-folders too.
 * `origin` is the path as the user can open it.
 * @throws CommandError where a path cannot be read at all
 */
export async function readDocuments(paths: readonly string[]): Promise<readonly StoredMapping[]> {
  return (await Promise.all(paths.map(readPath))).flat();
}

async function readPath(given: string): Promise<readonly StoredMapping[]> {
  const kind = await stat(given).catch((error: unknown) => unreadable(given, error));
  if (!kind.isDirectory())
    return [parseMapping(given, await readFile(given, 'utf8').catch((error: unknown) => unreadable(given, error)))];
  const loaded = await new FileMappingStore(given).load();
  if (loaded.kind === 'unavailable') throw new CommandError(exitCodes.usage, `${given}: ${loaded.detail}`);
  if (loaded.mappings.length === 0)
    throw new CommandError(exitCodes.usage, `${given}: there is no mapping in it`, 'Mappings are files *.yaml or *.yml.');
  return loaded.mappings.map((mapping) => ({ ...mapping, origin: path.join(given, mapping.origin) }));
}

function unreadable(given: string, error: unknown): never {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  throw new CommandError(exitCodes.usage, `${given}: cannot be read (${code})`);
}
