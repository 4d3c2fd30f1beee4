import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startChildServer } from '../process/child-server.js';
import { bound, names } from './seeded-directory.js';
import { describeWithSlapd } from './slapd.js';

const main = path.join(import.meta.dirname, 'main.ts');
const seed = path.resolve(import.meta.dirname, '../../../../docker/seeds/directory.ldif');

const endings = ['SIGTERM', 'SIGINT', 'stdin'] as const;

/** Starts the directory, asks it something, ends it in this way; answers how it ended. */
async function lifeOf(engine: string, ending: (typeof endings)[number]): Promise<unknown> {
  const child = startChildServer(main, ['--ldif', seed, '--engine', engine]);
  const { ready, url } = await child.ready;
  expect(ready).toBe(true);
  expect(url).toMatch(/^ldap:\/\/127\.0\.0\.1:[0-9]+$/);
  expect(await names(await bound(String(url)), '(cn=Ben Olsen)')).toEqual(['Ben Olsen']);
  if (ending === 'stdin') child.process.stdin?.end();
  else child.process.kill(ending);
  const exit = await child.exited;
  await expect(bound(String(url))).rejects.toThrow('ECONNREFUSED');
  return exit;
}

describe('the directory process of the demo', () => {
  it.each(endings)('announces itself and ends cleanly on %s', async (ending) => {
    expect(await lifeOf('in-process', ending)).toEqual({ code: 0, stderr: '' });
  });

  it.each([
    [[], '--ldif FILE'],
    [['--ldif', '/does/not/exist.ldif'], '/does/not/exist.ldif'],
    [['--ldif', main], 'LDIF line 1:'],
    [['--ldif', seed, '--engine', 'other'], '--engine'],
    [['--ldif', seed, '--port', 'x'], '--port'],
    [['--nonsense'], '--nonsense'],
  ])('fails with a message when it is started with %j', async (args, message) => {
    const { code, stderr } = await startChildServer(main, args).exited;
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});

describeWithSlapd(describe, 'the directory process of the demo with slapd', () => {
  it.each(endings)('announces itself and ends cleanly on %s', async (ending) => {
    expect(await lifeOf('slapd', ending)).toEqual({ code: 0, stderr: '' });
  });

  it('takes slapd with it even when it is killed', async () => {
    const child = startChildServer(main, ['--ldif', seed, '--engine', 'slapd']);
    const { url } = await child.ready;
    child.process.kill('SIGKILL');
    await child.exited;
    const answers = (): Promise<string> => bound(String(url)).then(String, (error: unknown) => String(error));
    await expect.poll(answers, { timeout: 10_000 }).toContain('ECONNREFUSED');
  });
});
