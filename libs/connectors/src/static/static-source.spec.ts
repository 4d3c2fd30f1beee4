import { Secrets, notFound, type Outcome, type Source } from '#claims';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { StaticConnector } from './static-connector.js';

class OneFile extends Secrets {
  constructor(public text: string | undefined) {
    super();
  }
  override read(reference: string): Promise<string> {
    return this.text === undefined
      ? Promise.reject(new Error(`${reference}: cannot be read (ENOENT)`))
      : Promise.resolve(this.text);
  }
}

const patient = new AbortController().signal;
const sources: Source[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const source of sources.splice(0)) await source.close();
});

function table(text: string | undefined, options: object = {}) {
  const file = new OneFile(text);
  const connector = new StaticConnector();
  const config = connector.config.parse({
    type: 'static',
    tenants: ['contoso'],
    file: 'file:people.csv',
    lookups: { person: { parameters: ['upn'], match: { upn: 'upn' }, ...options } },
  });
  const logged: object[] = [];
  const note = (fields: object): void => void logged.push(fields);
  const source = connector.create('people', config, { secrets: file, log: { warn: note, error: note } });
  sources.push(source);
  return { source, file, logged };
}

function ask(source: Source, upn = 'adele', projection = ['tier'], signal = patient): Promise<Outcome> {
  return source.fetch({ lookup: 'person', parameters: new Map([['upn', upn]]), projection }, signal);
}

async function tier(source: Source, upn?: string): Promise<readonly unknown[] | Outcome> {
  const outcome = await ask(source, upn);
  return outcome.kind === 'found' ? outcome.attributes.get('tier') : outcome;
}

describe('the file', () => {
  it('is followed without being asked', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { source, file } = table('upn,tier\nadele,gold');
    expect(await tier(source)).toEqual(['gold']);
    file.text = 'upn,tier\nadele,silver';
    vi.advanceTimersByTime(9_999);
    expect(await tier(source)).toEqual(['gold']);
    vi.advanceTimersByTime(1);
    await vi.waitFor(async () => expect(await tier(source)).toEqual(['silver']), { timeout: 15_000 });
  });

  it('is followed by the probe too', async () => {
    const { source, file } = table('upn,tier\nadele,gold');
    file.text = 'upn,tier\nadele,silver';
    expect(await source.probe(patient)).toEqual({ kind: 'up' });
    file.text = 'upn,tier\nadele,bronze';
    expect(await source.probe(patient)).toEqual({ kind: 'up' });
    expect(await tier(source)).toEqual(['bronze']);
  });

  it.each<[string, string | undefined, object]>([
    ['cannot be parsed', 'upn,tier\n"adele', { reason: 'malformed', detail: 'CSV_QUOTE_NOT_CLOSED, line 2' }],
    ['lost a key column', 'name,tier\nadele,silver', { reason: 'malformed', detail: 'there is no column upn' }],
    ['is gone', undefined, { reason: 'connection', detail: 'file:people.csv: cannot be read (ENOENT)' }],
  ])('that %s leaves the last table in force, and is told once', async (_, broken, failure) => {
    const { source, file, logged } = table('upn,tier\nadele,gold');
    expect(await tier(source)).toEqual(['gold']);
    file.text = broken;
    expect(await source.probe(patient)).toEqual({ kind: 'down', ...failure });
    expect(await source.probe(patient)).toEqual({ kind: 'down', ...failure });
    expect(await tier(source)).toEqual(['gold']);
    expect(logged).toEqual([{ source: 'people', ...failure }]);
    file.text = 'upn,tier\nadele,gold';
    expect(await source.probe(patient)).toEqual({ kind: 'up' });
    file.text = 'upn,tier\nadele,silver';
    expect(await source.probe(patient)).toEqual({ kind: 'up' });
    expect(await tier(source)).toEqual(['silver']);
  });

  it.each<[string, string | undefined, object]>([
    ['cannot be parsed', 'upn\n"adele', { reason: 'malformed' }],
    ['is not there', undefined, { reason: 'connection' }],
  ])('that %s at the start makes every lookup unavailable until it is mended', async (_, broken, failure) => {
    const { source, file } = table(broken);
    expect(await ask(source)).toMatchObject({ kind: 'unavailable', ...failure });
    expect(await source.probe(patient)).toMatchObject({ kind: 'down', ...failure });
    file.text = 'upn,tier\nadele,gold';
    await source.probe(patient);
    expect(await tier(source)).toEqual(['gold']);
  });

  it('that takes long to read lets nobody wait longer than they want', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<string>();
    const read = vi.spyOn(OneFile.prototype, 'read').mockReturnValue(held);
    const { source } = table('');
    expect(await ask(source, 'adele', ['tier'], AbortSignal.timeout(10))).toMatchObject({
      kind: 'unavailable',
      reason: 'timeout',
    });
    expect(await source.probe(AbortSignal.timeout(10))).toEqual({ kind: 'down', reason: 'timeout' });
    const waiting = tier(source);
    release('upn,tier\nadele,gold');
    expect(await waiting).toEqual(['gold']);
    read.mockRestore();
  });

  it('that comes after the end is not taken', async () => {
    const { source } = table('upn,tier\nadele,gold');
    await source.close();
    expect(await ask(source)).toEqual({ kind: 'unavailable', reason: 'internal', detail: 'the source is closed' });
  });
});

describe('a lookup', () => {
  it('tells the operator once of a column that the table lacks', async () => {
    const { source, logged } = table('upn,tier\nadele,gold');
    for (let round = 0; round < 2; round++) await ask(source, 'adele', ['tier', 'Teir']);
    expect(logged).toEqual([{ source: 'people', lookup: 'person', column: 'Teir' }]);
  });

  it('by an empty key finds nobody', async () => {
    const { source } = table('upn,tier\n,gold\n" ",silver');
    expect(await tier(source, '  ')).toMatchObject({ kind: 'notFound' });
    expect(await tier(source, '')).toMatchObject({ kind: 'notFound' });
  });
});

const hostile = [
  "' or '1'='1",
  '"; drop table people; --',
  '{"$ne": null}',
  '["adele"]',
  '*',
  '%',
  '../admin',
  'a\r\nadmin,gold',
  '\0',
  'admin\0',
  'admin\u200b',
  'аdmin',
  'ａｄｍｉｎ',
  '\u212Aelvin',
  'Kelvin',
  ' admin',
  'admin ',
  'e\u0301',
  '\u00e9',
  '\u202eadmin',
  '__proto__',
  'constructor',
  '𝄞',
];

describe('hostile values', () => {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const everything = ['upn,tier', ...[...hostile, 'admin', 'adele'].map((text, index) => `${quoted(text)},${index}`)].join('\n');

  it.each([false, true])('find exactly their own entry (ignoreCase: %s)', async (ignoreCase) => {
    const { source } = table(everything, { ignoreCase });
    for (const [index, value] of hostile.entries()) expect([value, await tier(source, value)]).toEqual([value, [String(index)]]);
  });

  it.each([false, true])('find nothing where they have none (ignoreCase: %s)', async (ignoreCase) => {
    const { source } = table('upn,tier\nadmin,0\nadele,1\nkelvin,2\né,3', { ignoreCase });
    const own = new Set(['\u00e9', ...(ignoreCase ? ['Kelvin'] : [])]);
    const others = [...hostile, '\ud800'].filter((value) => !own.has(value));
    expect(await Promise.all(others.map((value) => tier(source, value)))).toEqual(others.map(() => notFound('noEntry')));
  });
});
