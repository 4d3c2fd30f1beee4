import { Writable } from 'node:stream';
import { createLogger } from '#observability';
import { describe, expect, it } from 'vitest';
import { logAudit } from './audit-log.js';

describe('the audit in the log', () => {
  it('has who did what to what, and no name of a person', () => {
    let text = '';
    const log = createLogger('info', new Writable({ write: (chunk: Buffer, _, done) => done(void (text += String(chunk))) }));
    const at = new Date('2026-02-03T04:05:06Z');
    const details = { number: 3, revision: 'abc' };
    const entry = { at, action: 'mapping.publish', tenant: 'contoso', target: 'portal', details };
    logAudit(log, { ...entry, actor: { id: '1', name: 'Ada Lovelace', address: '192.0.2.1' } });
    expect(JSON.parse(text)).toMatchObject({
      msg: 'audit',
      audit: { ...entry, at: at.toISOString(), by: { id: '1', address: '192.0.2.1' } },
    });
    expect(text).not.toContain('Lovelace');
  });
});
