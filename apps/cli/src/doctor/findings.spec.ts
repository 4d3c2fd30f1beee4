import { describe, expect, it } from 'vitest';
import { clockFinding, healthFindings, sourceFinding, untestedFinding, type HealthReport } from './findings.js';

const well: HealthReport = {
  status: 'ok',
  keys: [{ issuer: 'https://login.example/v2.0', state: 'fresh', keys: 2 }],
  store: { kind: 'postgres', state: 'up' },
  snapshot: { origin: 'store', mappings: 3, problems: [], file: 'written', ageSeconds: 5 },
};

const worst = (report: HealthReport): readonly string[] =>
  healthFindings(report)
    .filter(({ state }) => state !== 'ok')
    .map(({ check, state }) => `${state}: ${check}`);

describe('findings', () => {
  it('are all ok where all is well', () => {
    expect(worst(well)).toEqual([]);
  });

  it.each<[string, HealthReport, readonly string[]]>([
    [
      'no keys and no mappings',
      {
        ...well,
        status: 'notReady',
        keys: [{ issuer: 'i', state: 'missing', keys: 0, lastError: { detail: 'ENOTFOUND' } }],
        snapshot: { origin: 'none', mappings: 0, problems: [], file: 'none' },
      },
      ['failed: readiness', 'failed: keys of i', 'failed: snapshot of the mappings', 'warning: snapshot file'],
    ],
    [
      'a store that is down since the start',
      {
        ...well,
        status: 'degraded',
        store: { kind: 'postgres', state: 'down', lastError: { detail: 'refused' } },
        snapshot: { ...well.snapshot, origin: 'file' },
      },
      ['warning: store of the mappings (postgres)', 'warning: snapshot of the mappings'],
    ],
    [
      'mappings that do not compile, with and without an earlier revision',
      {
        ...well,
        snapshot: {
          ...well.snapshot,
          problems: [
            { origin: 'a', retained: true, issues: [{ reason: 'x' }] },
            { origin: 'b', retained: false, issues: [] },
          ],
        },
      },
      ['warning: mapping a', 'failed: mapping b'],
    ],
    [
      'a secret that is not there',
      {
        ...well,
        secrets: [
          { reference: 'env:A', readable: true },
          { reference: 'file:b', readable: false },
        ],
      },
      ['failed: secret file:b'],
    ],
    ['keys that could not be refreshed', { ...well, keys: [{ issuer: 'i', state: 'stale', keys: 2 }] }, ['warning: keys of i']],
  ])('of %s', (_name, report, expected) => {
    expect(worst(report)).toEqual(expected);
    for (const { state, remedy } of healthFindings(report)) expect(state === 'ok' || remedy !== undefined).toBe(true);
  });

  it('of a source have a remedy for every reason', () => {
    expect(sourceFinding({ name: 'ad', result: 'busy', ms: 3 })).toMatchObject({ state: 'warning' });
    for (const reason of ['timeout', 'connection', 'credentials', 'refused', 'malformed', 'overloaded', 'internal', 'new'])
      expect(sourceFinding({ name: 'ad', result: 'down', reason, ms: 3 })).toMatchObject({
        state: 'failed',
        detail: `down: ${reason}`,
        remedy: expect.stringMatching(/.{20}/),
      });
  });

  it.each([
    ['encrypted', 'ok', 'TLS and credentials are accepted (3.0 ms)', undefined],
    ['clearText', 'warning', expect.stringMatching(/^answers, in clear text/), expect.stringContaining('ldaps://')],
    ['none', 'ok', 'can be read (3.0 ms)', undefined],
    [undefined, 'ok', expect.stringContaining('not told'), undefined],
  ] as const)('of a source that is up by %s claim TLS only where there is some', (transport, state, detail, remedy) => {
    const finding = sourceFinding({ name: 'ad', ...(transport && { transport }), result: 'up', ms: 3 });
    expect(finding).toEqual({ check: 'source ad', state, detail, ...(remedy !== undefined && { remedy }) });
  });

  it('of a source that could not be tested say what was last known of it', () => {
    expect(untestedFinding('ad', { state: 'up' }, 'repository.unavailable')).toMatchObject({
      state: 'warning',
      detail: 'not tested: repository.unavailable; when last asked it was up',
    });
    expect(untestedFinding('ad', { state: 'down', lastError: { code: 'credentials' } }, 'caller.forbidden')).toMatchObject({
      state: 'failed',
      detail: 'down: credentials (not tested: caller.forbidden)',
      remedy: expect.stringContaining('account'),
    });
  });

  it.each([
    [0, 'ok', '0 s apart'],
    [29_000, 'ok', '29 s apart'],
    [31_000, 'failed', 'the service’s clock is 31 s ahead'],
    [-90_000, 'failed', 'the service’s clock is 90 s behind'],
  ])('of a clock that is %s ms ahead', (ahead, state, detail) => {
    const now = new Date('2026-01-02T03:04:05Z');
    expect(clockFinding('clock', new Date(now.getTime() + ahead), now)).toMatchObject({ state, detail });
  });
});
