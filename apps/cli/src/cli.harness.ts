/** What the specs of the command line share: a call, and files to call it with. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach } from 'vitest';
import { stringify } from 'yaml';
import type { ExitCode } from './exit-codes.js';
import { run } from './program.js';

export interface Called {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever --json printed
  readonly json: any;
}

/** Runs the command line in this process, as a terminal without colours. */
export async function claimbridge(words: readonly string[], variables: NodeJS.ProcessEnv = {}): Promise<Called> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await run(words, { stdout, stderr, variables, colours: false });
  stdout.end();
  stderr.end();
  const [out, err] = await Promise.all([text(stdout), text(stderr)]);
  return { code, out, err, json: words.includes('--json') && out !== '' ? JSON.parse(out) : undefined };
}

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A folder with these files; what is no text becomes YAML. */
export async function folderOf(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-cli-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, typeof content === 'string' ? content : stringify(content));
  }
  return folder;
}

/** A mapping that compiles, with what a spec wants otherwise. */
export const mapping = (change: object = {}): object => ({
  name: 'portal',
  tenant: 'contoso',
  applications: ['3a1c9f52-6d0e-4b7a-8f11-5b2e7c4d9a01'],
  lookups: { person: { use: 'corp-ad.user' } },
  claims: { department: { from: 'person.department' } },
  tests: [
    {
      name: 'finance',
      subject: { onPremisesUserPrincipalName: 'adele@corp.example' },
      given: { person: { department: 'Finance' } },
      expect: { department: 'Finance' },
    },
  ],
  ...change,
});
