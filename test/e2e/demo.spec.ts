import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const entry = path.join(root, 'dist/apps/demo/src/main.js');

/** The command lines of all processes that mention this text (Linux). */
async function processesWith(text: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args']);
  return stdout.split('\n').filter((line) => line.includes(text) && !line.includes('ps -eo'));
}

/** Runs every line of the guide to changes, in the demo's folder, and looks at each answer. */
async function walkThroughGuide(folder: string, api: string): Promise<void> {
  const guide = await readFile(path.join(root, 'docs/guides/change-safely.md'), 'utf8');
  const blocks = [...guide.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text!);
  const portal = await readFile(path.join(root, 'docker/seeds/mappings/billing-portal.yaml'), 'utf8');
  const department = 'department: { from: person.department,';
  expect(portal).toContain(department);
  await writeFile(
    path.join(folder, 'billing-portal.yaml'),
    portal.replace(department, `${department} transform: [ToUppercase],`),
  );
  const script = [
    // One line for each answer, and an end at the first that is refused.
    `set -e; curl() { command curl --fail-with-body --noproxy '*' --write-out '\\n' "$@"; }`,
    ...blocks.map((block) => block.replace(/^api=\S+/m, `api=${api}`)),
  ];
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', script.join('\n')], { cwd: folder });
  const answers = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
  expect(answers).toMatchObject([
    { published: { number: 3 } },
    { number: 3, document: { name: 'billing-portal' } },
    { draft: { basedOn: 3 } },
    { valid: true, tests: expect.arrayContaining([expect.objectContaining({ passed: true })]) },
    { differences: [{ kind: 'claim', name: 'department', change: 'changed' }] },
    { answer: 'claims', claims: expect.arrayContaining([expect.objectContaining({ name: 'department', value: 'FINANCE' })]) },
    { published: { number: 4, comment: 'Department for the portal' } },
    { items: expect.arrayContaining([expect.objectContaining({ number: 4 }), expect.objectContaining({ number: 3 })]) },
    { published: { number: 4 } },
    { published: { number: 5, rolledBackTo: 3 } },
    { items: expect.arrayContaining([expect.objectContaining({ action: 'mapping.publish', target: 'billing-portal' })]) },
  ]);
}

describe('the demo', () => {
  it('--once --json plays all sign-ins and prints one document and nothing else', { timeout: 60_000 }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [entry, '--once', '--json']);
    const { signIns, change } = JSON.parse(stdout) as Record<'signIns' | 'change', Record<string, unknown>[]>;
    expect(signIns).toHaveLength(9);
    for (const signIn of signIns) {
      expect(Object.keys(signIn)).toEqual(['application', 'user', 'status', 'ms', 'claims', 'error']);
      expect(signIn).toMatchObject({ status: 200, error: null, ms: expect.any(Number) });
    }
    expect(signIns[0]).toMatchObject({
      application: 'billing-portal',
      user: 'adele',
      claims: { billingTier: 'gold', department: 'Finance', customRoles: ['admin', 'reader'] },
    });
    const department = (name: string): object => ({ claims: expect.objectContaining({ department: name }), asExpected: true });
    expect(change).toMatchObject([
      { step: 'preview', revision: null, ...department('FINANCE') },
      { step: 'sign-in before', revision: null, ...department('Finance') },
      { step: 'publish', revision: 2, ...department('FINANCE') },
      { step: 'rollback', revision: 3, ...department('Finance') },
    ]);
  });

  it('stays up, prints lines that work, and leaves nothing behind on Ctrl-C', { timeout: 60_000 }, async ({ onTestFinished }) => {
    const demo = spawn(process.execPath, [entry], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void demo.kill('SIGTERM'));
    const exited = new Promise((resolve) => demo.once('close', resolve));
    const lines: string[] = [];
    for await (const line of createInterface({ input: demo.stdout })) {
      lines.push(line);
      if (line.startsWith('Ctrl-C')) break;
    }
    const commands = lines.filter((line) => line.startsWith('  curl ')).map((line) => line.trim());
    const folder = lines
      .find((line) => line.startsWith('logs, keys, event'))!
      .split(/\s+/)
      .at(-1)!;
    expect(commands).toHaveLength(4);
    const answers = await Promise.all(
      commands.map(async (command) => {
        const { stdout } = await promisify(execFile)('/bin/sh', [
          '-c',
          command.replace('curl ', 'curl --silent --show-error --fail-with-body --noproxy "*" '),
        ]);
        return JSON.parse(stdout) as Record<string, unknown>;
      }),
    );
    expect(answers[0]).toMatchObject({ data: { actions: [{ claims: { billingTier: 'gold' } }] } });
    expect(answers[1]).toMatchObject({ claims: { employeeNumber: '10108' } });
    expect(answers[2]).toMatchObject({ status: 'ok' });
    expect(answers[3]).toMatchObject({ name: 'billing-portal', published: { number: 3 } });
    await walkThroughGuide(folder, commands[3]!.split(' ').at(-1)!.replace('/mappings/contoso/billing-portal', ''));
    demo.kill('SIGINT');
    expect(await exited).toBe(0);
    expect(await processesWith(folder)).toEqual([]);
  });

  it('refuses an option that it does not know', async () => {
    await expect(promisify(execFile)(process.execPath, [entry, '--twice'])).rejects.toMatchObject({ code: 1 });
  });
});
