import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogger, type Logger, type LogLevel } from './logger.js';

function capture(level: LogLevel): { readonly log: Logger; readonly lines: () => readonly Record<string, unknown>[] } {
  let text = '';
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return {
    log: createLogger(level, destination),
    lines: () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('createLogger', () => {
  it('writes one JSON object a line, with the level by name and the time as ISO 8601', () => {
    const { log, lines } = capture('info');
    log.info({ mapping: 'portal', ms: 12 }, 'event');
    expect(lines()).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), mapping: 'portal', ms: 12, msg: 'event' },
    ]);
  });

  it('keeps to its level', () => {
    const { log, lines } = capture('warn');
    log.info('quiet');
    log.warn('loud');
    expect(lines().map(({ msg }) => msg)).toEqual(['loud']);
  });

  it.each(['authorization', 'token', 'password', 'claims', 'user', 'subject', 'mail', 'ip', 'body', 'parameters', 'attributes'])(
    'censors %s, at the top and one level down',
    (name) => {
      const { log, lines } = capture('info');
      log.info({ [name]: 'secret-value', inner: { [name]: 'secret-value' } }, 'slip');
      expect(JSON.stringify(lines())).not.toContain('secret-value');
      expect(lines()[0]).toMatchObject({ [name]: '[censored]', inner: { [name]: '[censored]' } });
    },
  );

  it('censors in the entries of a list, and leaves what it was given as it was', () => {
    const { log, lines } = capture('info');
    const line = { lookups: [{ alias: 'person', mail: 'secret-value' }], count: 1 };
    log.info(line, 'slip');
    expect(lines()[0]).toMatchObject({ lookups: [{ alias: 'person', mail: '[censored]' }], count: 1 });
    expect(line.lookups[0]?.mail).toBe('secret-value');
  });

  it.each([
    ['process.exit(3)', 'ends'],
    ['throw new Error("defect")', 'dies of a defect'],
  ])('on stdout loses no line when the process is told %s', async (end) => {
    const module = JSON.stringify(path.join(import.meta.dirname, 'logger.ts'));
    const script = `import { createLogger } from ${module};
      const log = createLogger('info');
      for (let line = 0; line < 500; line++) log.info({ line }, 'x'.repeat(100));
      ${end};`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const [code] = await once(child, 'close');
    expect(code).not.toBe(0);
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { line: number }).line),
    ).toEqual(Array.from({ length: 500 }, (_, line) => line));
  });

  it('tells of an error its type, code, message and stack, and nothing that a driver hung on it', () => {
    const { log, lines } = capture('info');
    const error = Object.assign(new TypeError('broken'), {
      code: 'E1',
      detail: 'Key (upn)=(ada@corp.example) exists',
      rows: ['ada'],
    });
    log.error({ err: error }, 'defect');
    expect(lines()[0]?.['err']).toEqual({
      type: 'TypeError',
      code: 'E1',
      message: 'broken',
      stack: expect.stringContaining('TypeError: broken'),
    });
    expect(JSON.stringify(lines())).not.toContain('ada');
  });
});
