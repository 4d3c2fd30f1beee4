import { execFile } from 'node:child_process';
import { chmod, cp, lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { nativeFolder, runnableBinaries } from './native-binaries.js';
import { runtimeUser } from './runtime-user.js';

async function temporary(mode: number): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-native-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await chmod(folder, mode);
  return folder;
}

const version = async (program: string): Promise<string> =>
  (await promisify(execFile)(program, ['--version'], { cwd: '/', env: {}, ...(await runtimeUser()) })).stdout;

/** The package as it is where its install script did not run. */
async function packageWithoutLinks(folder: string): Promise<string> {
  const native = path.join(folder, 'native');
  await cp(nativeFolder(), native, { recursive: true, filter: async (file) => !(await lstat(file)).isSymbolicLink() });
  return native;
}

it('copies a package whose library links are missing, leaves it as it is, and gives the copy to the user', async () => {
  const [source, target] = [await temporary(0o755), await temporary(0o755)];
  const native = await packageWithoutLinks(source);
  const before = await readdir(native, { recursive: true });
  const user = await runtimeUser();
  const { initdb, postgres } = await runnableBinaries(native, path.join(target, 'copy'), user);
  expect(path.relative(target, postgres)).toBe('copy/bin/postgres');
  expect(await version(postgres)).toMatch(/^postgres \(PostgreSQL\) 18/);
  expect(await version(initdb)).toMatch(/^initdb \(PostgreSQL\) 18/);
  expect(await readdir(native, { recursive: true })).toEqual(before);
  const owner = (await lstat(path.join(target, 'copy/share/postgresql/timezone'))).uid;
  expect(owner).toBe(user?.uid ?? process.getuid?.());
});

it.runIf(process.getuid?.() === 0)('copies a package below a folder that only root can enter', async () => {
  const [source, target] = [await temporary(0o700), await temporary(0o755)];
  const native = path.join(source, 'native');
  await cp(nativeFolder(), native, { recursive: true, verbatimSymlinks: true });
  const { postgres } = await runnableBinaries(native, target, await runtimeUser());
  expect(postgres.startsWith(target)).toBe(true);
  expect(await version(postgres)).toMatch(/^postgres \(PostgreSQL\) 18/);
});
