import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Writable } from 'node:stream';
import vm from 'node:vm';
import fc from 'fast-check';
import { pino } from 'pino';
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

  it('censors what a child is bound to, and a child of it, at the beginning and later', () => {
    const { log, lines } = capture('info');
    const child = log.child({ token: 'secret-value', request: { user: 'secret-value', id: 7 } });
    child.child({ err: Object.assign(new Error('broken'), { parameters: ['secret-value'] }) }, { level: 'info' }).info('slip');
    child.setBindings({ mail: 'secret-value', step: 2 });
    child.info('slip');
    expect(JSON.stringify(lines())).not.toContain('secret-value');
    expect(lines()).toMatchObject([
      { token: '[censored]', request: { user: '[censored]', id: 7 }, err: { type: 'Error', message: 'broken' } },
      { token: '[censored]', mail: '[censored]', step: 2 },
    ]);
  });

  it.each([
    ['under any name', (error: unknown) => ({ cause: error })],
    ['in a list', (error: unknown) => ({ causes: [error] })],
    ['deep inside', (error: unknown) => ({ a: { b: { c: { d: [{ error }] } } } })],
    ['as what an object is in JSON', (error: unknown) => ({ problem: { toJSON: () => error } })],
  ])('tells of an error %s nothing that a driver hung on it', (_, line) => {
    const { log, lines } = capture('info');
    const foreign = vm.runInNewContext('new RangeError("broken")') as Error;
    for (const error of [new TypeError('broken'), foreign])
      log.error(line(Object.assign(error, { parameters: ['secret-value'], detail: 'secret-value' })), 'defect');
    const text = JSON.stringify(lines());
    expect(text).not.toContain('secret-value');
    expect(text).toMatch(/TypeError.*RangeError/);
  });

  it('tells of what is thrown and no error nothing but its type', () => {
    const { log, lines } = capture('info');
    for (const err of ['secret-value', { rows: ['secret-value'] }, null]) log.error({ err }, 'defect');
    expect(lines().map(({ err }) => err)).toEqual([{ type: 'string' }, { type: 'object' }, { type: 'object' }]);
  });

  it('takes an object for what it is in JSON, and censors that', () => {
    class Account {
      readonly #secret = 'secret-value';
      readonly hidden = 'secret-value';
      readonly mail = 'secret-value';
      toJSON(): object {
        return { id: 7, mail: this.#secret };
      }
    }
    const { log, lines } = capture('info');
    const broken = {
      toJSON: () => {
        throw new Error('secret-value');
      },
    };
    log.info({ account: new Account(), list: [new Account()], at: new Date(0), broken }, 'slip');
    expect(lines()[0]).toMatchObject({
      account: { id: 7, mail: '[censored]' },
      list: [{ id: 7, mail: '[censored]' }],
      at: '1970-01-01T00:00:00.000Z',
      broken: '[no JSON]',
    });
    expect(JSON.stringify(lines())).not.toMatch(/secret-value|hidden/);
  });

  it('writes a line for what has no end', () => {
    const { log, lines } = capture('info');
    const line: Record<string, unknown> = { mail: 'secret-value' };
    line['line'] = line;
    let deep: object = { end: true };
    for (let depth = 0; depth < 100_000; depth++) deep = { deep };
    log.info({ line, deep }, 'slip');
    expect(JSON.stringify(lines())).not.toContain('secret-value');
    expect(lines()).toHaveLength(1);
  });

  it('censors as pino does by paths, whatever is logged', () => {
    const names = ['authorization', 'token', 'password', 'user', 'mail', 'parameters'];
    const name = fc.constantFrom(...names, 'id', 'name', 'list', '0', 'Token');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('text', 7, true, null),
        fc.date({ noInvalidDate: true }),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    const paths = names.flatMap((each) => [each, `*.${each}`, `*.*.${each}`]);
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true }), (line) => {
        const { log, lines } = capture('info');
        let byPaths = '';
        const options = { base: undefined, timestamp: false, redact: { paths, censor: '[censored]' } };
        pino(options, { write: (text) => (byPaths += text) }).info(structuredClone(line));
        log.info(line);
        const { level: _level, time: _time, ...written } = lines()[0]!;
        const { level: _, ...expected } = JSON.parse(byPaths) as Record<string, unknown>;
        expect(written).toEqual(expected);
        const child = capture('info');
        child.log.child(line).info('');
        const { level: _childLevel, time: _childTime, msg: _msg, ...bound } = child.lines()[0]!;
        expect(bound).toEqual(expected);
      }),
    );
  });
});
