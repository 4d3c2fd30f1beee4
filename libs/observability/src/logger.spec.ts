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
