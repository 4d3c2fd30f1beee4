import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

/** Says which packages the service has loaded before it reads its configuration. */
const program = `
import { registerHooks } from 'node:module';
const packages = new Set();
registerHooks({
  load(url, context, next) {
    const [, name] = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? [];
    if (name) packages.add(name);
    return next(url, context);
  },
});
await import('./dist/apps/claims-api/src/run-service.js');
console.log(JSON.stringify([...packages]));`;

it('loads what is large and seldom needed with its first use', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { cwd: root });
  const loaded = JSON.parse(stdout) as readonly string[];
  expect(loaded).toContain('@nestjs/core');
  for (const name of ['typeorm', '@nestjs/swagger', '@bufbuild/cel']) expect(loaded).not.toContain(name);
});
