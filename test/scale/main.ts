// What 10,000 mappings cost beside one: time to ready, memory, a publish, and what a sign-in notices. docs/adr/0012 has the figures.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Secrets } from '#claims';
import { openPostgresMappings, type PostgresMappingRepository } from '#mapping-store';
import { startPostgres } from '#testing';
import pg from 'pg';
import { parse } from 'yaml';
import { eventText } from '../e2e/event.js';
import { startStack, type Document, type Stack } from '../e2e/stack.js';

const { values } = parseArgs({
  options: { mappings: { type: 'string', default: '10000' }, requests: { type: 'string', default: '2000' } },
});
const [many, requests] = [Number(values.mappings), Number(values.requests)];
const rounds = 5;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const id = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const mebibytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MB`;

const database = await startPostgres();
class Password extends Secrets {
  override read(): Promise<string> {
    return Promise.resolve(database.password);
  }
}
const portal = parse(
  await readFile(path.resolve(import.meta.dirname, '../../docker/seeds/mappings/billing-portal.yaml'), 'utf8'),
) as Document;

interface Measured {
  readonly stack: Stack;
  readonly repository: PostgresMappingRepository;
  readonly pid: number;
  readonly readyAfter: number;
}

/** A service with so many mappings in a database of its own. */
async function start(count: number): Promise<Measured> {
  const name = `store${count}`;
  const admin = new pg.Client({ ...database, database: 'postgres' });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const options = {
    host: database.host,
    port: database.port,
    database: name,
    user: database.user,
    password: 'env:MAPPINGS_PASSWORD',
    tls: 'disable',
  } as const;
  const repository = await openPostgresMappings(
    { ...options, connections: 2, connect: 10_000, operation: 60_000, polling: 10_000, migrate: false },
    new Password(),
  );
  await repository.migrate();
  const client = new pg.Client({ ...database, database: name });
  await client.connect();
  for (let first = 0; first < count; first += 1_000) {
    const documents = Array.from({ length: Math.min(1_000, count - first) }, (_, index) => {
      const number = first + index;
      return {
        ...portal,
        name: `mapping-${number}`,
        applications: [id(number)],
        // The one that is measured asks nobody: what a source takes is not what many mappings cost.
        ...(number === 0 && { lookups: {}, tests: [] }),
        claims: { ...(number > 0 && portal['claims']), number: { value: `${number}` } },
      };
    });
    await client.query(
      `with given as (
         select value->>'name' as name, value::text as content, array(select jsonb_array_elements_text(value->'applications')) as applications
         from jsonb_array_elements($1::jsonb)
       ), documents as (
         insert into claimbridge.document (tenant, name, version) select 'contoso', name, 1 from given
       )
       insert into claimbridge.revision (tenant, name, number, revision, content, applications, author, at, comment)
       select 'contoso', name, 1, left(encode(sha256(convert_to(content, 'UTF8')), 'hex'), 32), content, applications, '{"id":"scale"}', now(), ''
       from given`,
      [JSON.stringify(documents)],
    );
  }
  await client.query('update claimbridge.document set published = 1; update claimbridge.publication set sequence = 1');
  await client.query('analyze');
  await client.end();
  const begun = performance.now();
  let readyAfter = 0;
  const stack = await startStack({
    variables: { MAPPINGS_PASSWORD: database.password },
    configure: (document) => {
      document['mappings'] = { postgres: options };
    },
    beforeStart: () => {
      readyAfter = performance.now();
      return Promise.resolve();
    },
  });
  await stack.ready();
  readyAfter = performance.now() - readyAfter;
  say(
    `${count} mappings: ready ${Math.round(readyAfter)} ms after the start of the process, ${await cpuOf(stack.service.pid)} ms of processor, resident ${mebibytes(await statusOf(stack.service.pid, 'VmRSS'))} (everything ${Math.round(performance.now() - begun)} ms)`,
  );
  return { stack, repository, pid: stack.service.pid, readyAfter };
}

async function statusOf(pid: number, key: string): Promise<number> {
  const line = (await readFile(`/proc/${pid}/status`, 'utf8')).split('\n').find((each) => each.startsWith(`${key}:`))!;
  return Number(/\d+/.exec(line)![0]) * 1_024;
}

/** Milliseconds of processor time that the process has used. */
async function cpuOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function signIns(stack: Stack, count: number): Promise<readonly number[]> {
  const authorization = `Bearer ${await stack.simulator.mintExtensionToken()}`;
  const took: number[] = [];
  const worker = async (): Promise<void> => {
    while (took.length < count) {
      const begun = performance.now();
      const response = await fetch(stack.endpoint, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: eventText(id(0)),
      });
      await response.arrayBuffer();
      // Shed, on a machine that is too busy to measure on.
      if (response.status !== 200) say(`  answered ${response.status}`);
      took.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  return took.toSorted((left, right) => left - right);
}

const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);

const actor = { id: 'scale' };
const few = await start(1);
const plenty = await start(many);
try {
  for (const [name, { stack }] of [
    ['1', few],
    [String(many), plenty],
  ] as const) {
    await signIns(stack, 500);
    say(`${name}: warm`);
  }
  const figures = new Map<Measured, { latencies: number[]; cpu: number }>([
    [few, { latencies: [], cpu: 0 }],
    [plenty, { latencies: [], cpu: 0 }],
  ]);
  for (let round = 0; round < rounds; round++)
    for (const [measured, figure] of figures) {
      const before = await cpuOf(measured.pid);
      figure.latencies.push(...(await signIns(measured.stack, requests)));
      figure.cpu += (await cpuOf(measured.pid)) - before;
    }
  for (const [measured, { latencies, cpu }] of figures) {
    const sorted = latencies.toSorted((left, right) => left - right);
    say(
      `${measured === few ? 1 : many} mappings: sign-in p50 ${at(sorted, 0.5)} ms, p99 ${at(sorted, 0.99)} ms, ${(cpu / sorted.length).toFixed(3)} ms of processor each, resident ${mebibytes(await statusOf(measured.pid, 'VmRSS'))}, at most ${mebibytes(await statusOf(measured.pid, 'VmHWM'))}`,
    );
  }
  for (const [count, { stack, repository, pid }] of [
    [1, few],
    [many, plenty],
  ] as const) {
    const took: number[] = [];
    const served: number[] = [];
    const cpu = await cpuOf(pid);
    let worst = 0;
    const publishing = { over: false };
    const watching = (async () => {
      while (!publishing.over) worst = Math.max(worst, Number(at(await signIns(stack, 20), 1)));
    })();
    for (let index = 0; index < 5; index++) {
      const key = { tenant: 'contoso', name: 'mapping-0' };
      const present = await repository.read(key);
      if (present.kind !== 'found') throw new Error(present.kind);
      const document = {
        ...portal,
        ...key,
        applications: [id(0)],
        lookups: {},
        tests: [],
        claims: { number: { value: `${index}` } },
      };
      const saved = await repository.saveDraft(key, document, present.record.version, actor);
      if (saved.kind !== 'changed') throw new Error(saved.kind);
      const begun = performance.now();
      const from = stack.service.log.length;
      const published = await repository.publish(key, saved.record.version, '', actor, () => Promise.resolve([]));
      if (published.kind !== 'changed') throw new Error(published.kind);
      took.push(performance.now() - begun);
      await stack.service.line(({ msg }) => msg === 'mappings: loaded', from);
      served.push(performance.now() - begun);
    }
    publishing.over = true;
    await watching;
    const sorted = (list: number[]): readonly number[] => list.toSorted((left, right) => left - right);
    say(
      `${count} mappings: publish ${at(sorted(took), 0.5)} ms, served by the other process after ${at(sorted(served), 0.5)} ms (worst ${at(sorted(served), 1)}), slowest sign-in meanwhile ${worst.toFixed(1)} ms, processor of the service ${((await cpuOf(pid)) - cpu) / 5} ms each with the sign-ins, resident ${mebibytes(await statusOf(pid, 'VmRSS'))}, at most ${mebibytes(await statusOf(pid, 'VmHWM'))}`,
    );
  }
} finally {
  for (const { stack, repository } of [few, plenty]) {
    await stack[Symbol.asyncDispose]();
    await repository.close();
  }
  await database.stop();
}
