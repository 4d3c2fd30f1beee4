import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startPostgres, startTcpProxy, type RunningPostgres, type TcpProxy } from '#testing';
import pg from 'pg';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applications, eventText } from './event.js';
import { ServiceProcess } from './service-process.js';
import { answerOf, environment, operator, startStack, type Answer, type Document, type Stack } from './stack.js';

const mapping = '/admin/v1/mappings/contoso/cafeteria';
/** Of docker/seeds/entra.yaml. */
const administrator = 'f7a9c3d1-0e2b-4c5d-8a6f-1b2c3d4e5f02';

interface Replica {
  readonly service: ServiceProcess;
  readonly publicUrl: string;
  readonly managementUrl: string;
}

let database: RunningPostgres;
/** Between the second replica and the database. */
let proxy: TcpProxy;
let stack: Stack;
let first: Replica;
let second: Replica;

/** With an interval of an hour only the database's own word can tell of a publish in time. */
const mappings = (port: number, polling: string): Document => ({
  postgres: {
    host: database.host,
    port,
    database: database.database,
    user: database.user,
    password: 'env:MAPPINGS_PASSWORD',
    tls: 'disable',
    limits: { connect: '500ms', operation: '1s' },
    migrate: true,
  },
  polling,
});

async function startSecond(polling: string): Promise<Replica> {
  const document = parse(await readFile(stack.configurationFile, 'utf8')) as Document;
  document['mappings'] = mappings(proxy.port, polling);
  document['snapshot'] = { file: path.join(stack.folder, 'second', 'snapshot.json') };
  const configuration = path.join(stack.folder, 'second.yaml');
  await writeFile(configuration, stringify(document));
  const service = new ServiceProcess(configuration, { ...environment, MAPPINGS_PASSWORD: database.password });
  return { service, ...(await service.listening()) };
}

beforeAll(async () => {
  database = await startPostgres();
  proxy = await startTcpProxy(database);
  stack = await startStack({
    variables: { MAPPINGS_PASSWORD: database.password },
    configure: (document) => {
      document['mappings'] = mappings(database.port, '1h');
    },
  });
  first = stack;
  second = await startSecond('1h');
});
afterAll(async () => {
  await second?.service.stop();
  await stack?.[Symbol.asyncDispose]();
  await proxy?.stop();
  await database?.stop();
});

/** Asks the admin API of a replica, as an administrator. */
async function ask(replica: Replica, method: string, route: string, body?: object, etag?: string | null): Promise<Answer> {
  const answer = await answerOf(
    await fetch(replica.managementUrl + route, {
      method,
      headers: {
        authorization: `Bearer ${await stack.simulator.clientToken(administrator, operator.audience)}`,
        ...(body && { 'content-type': 'application/json' }),
        ...(etag && { 'if-match': etag }),
      },
      ...(body && { body: JSON.stringify(body) }),
    }),
  );
  if (answer.status >= 400 && answer.status !== 404) throw new Error(`${method} ${route}: ${answer.text}`);
  return answer;
}

const etagAt = async (replica: Replica): Promise<string | null> => (await ask(replica, 'GET', mapping)).headers.get('etag');

/** Publishes by the admin API of a replica. @returns the revision */
async function publish(replica: Replica, value: string): Promise<string> {
  const document = { tenant: 'contoso', name: 'cafeteria', applications: [applications.cafeteria], claims: { menu: { value } } };
  const present = await ask(replica, 'GET', mapping);
  const saved =
    present.status === 404
      ? await ask(replica, 'POST', '/admin/v1/mappings', document)
      : await ask(replica, 'PUT', `${mapping}/draft`, document, present.headers.get('etag'));
  const published = await ask(replica, 'POST', `${mapping}/publish`, { comment: value }, saved.headers.get('etag'));
  return published.json.published.revision as string;
}

async function signIn(publicUrl: string): Promise<Answer> {
  return answerOf(
    await fetch(`${publicUrl}/api/onTokenIssuanceStart`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await stack.simulator.mintExtensionToken()}`,
        'content-type': 'application/json',
      },
      body: eventText(applications.cafeteria),
    }),
  );
}

const menu = async (publicUrl: string): Promise<unknown> => {
  const { status, json } = await signIn(publicUrl);
  return status === 200 ? (json.data.actions[0].claims.menu ?? 'none') : status;
};
const menus = (): Promise<readonly unknown[]> => Promise.all([first, second].map(({ publicUrl }) => menu(publicUrl)));
const health = async (replica: Replica): Promise<Document> => (await ask(replica, 'GET', '/admin/health')).json as Document;
const store = async (replica: Replica): Promise<Document> => (await health(replica))['store'] as Document;

describe('two replicas and one database of mappings', () => {
  it('what is published on one is served by the other, roll back and deletion too, and every answer names its revision', async () => {
    await expect.poll(menus).toEqual(['none', 'none']);
    for (const replica of [first, second])
      await expect.poll(() => store(replica)).toMatchObject({ state: 'up', listening: true });
    const soup = await publish(first, 'soup');
    await expect.poll(() => menu(second.publicUrl)).toBe('soup');
    const salad = await publish(second, 'salad');
    await expect.poll(() => menu(first.publicUrl)).toBe('salad');
    expect(salad).not.toBe(soup);
    await ask(first, 'POST', `${mapping}/rollback`, { to: 1, comment: 'nobody likes salad' }, await etagAt(first));
    await expect.poll(menus).toEqual(['soup', 'soup']);
    for (const { service } of [first, second])
      await expect
        .poll(() => service.log.findLast(({ msg }) => msg === 'event'))
        .toMatchObject({ mapping: 'cafeteria', revision: soup });
    const deleted = await ask(second, 'DELETE', mapping, undefined, await etagAt(second));
    await expect.poll(menus).toEqual(['none', 'none']);
    await ask(first, 'POST', `${mapping}/restore`, undefined, deleted.headers.get('etag'));
    await expect.poll(menus).toEqual(['soup', 'soup']);
  });

  it('a publish whose word was lost is found by asking', async () => {
    await second.service.stop();
    second = await startSecond('1s');
    await expect.poll(() => store(second)).toMatchObject({ state: 'up', listening: true });
    const { host, port, user, password, database: name } = database;
    const owner = new pg.Client({ host, port, user, password, database: name });
    await owner.connect();
    try {
      await owner.query('alter table claimbridge.publication disable trigger all');
      await publish(first, 'rice');
      await expect.poll(menus).toEqual(['rice', 'rice']);
    } finally {
      await owner.query('alter table claimbridge.publication enable trigger all');
      await owner.end();
    }
  });

  it('a replica serves on while the database is away, hears of what it missed when it is back, and says so', async () => {
    await publish(first, 'bread');
    await expect.poll(menus).toEqual(['bread', 'bread']);
    proxy.refuse();
    proxy.cut();
    await expect.poll(async () => (await store(second))['state']).toBe('down');
    await publish(first, 'cake');
    await expect.poll(menus).toEqual(['cake', 'bread']);
    expect((await fetch(`${second.publicUrl}/health/ready`)).status).toBe(200);
    expect(await health(second)).toMatchObject({ status: 'degraded', store: { kind: 'postgres', listening: false } });
    await proxy.restore();
    await expect.poll(menus).toEqual(['cake', 'cake']);
    await expect.poll(() => store(second)).toMatchObject({ state: 'up', listening: true });
  });

  it('a replica starts without the database from what it kept on disk', async () => {
    const revision = await publish(first, 'pie');
    await expect.poll(menus).toEqual(['pie', 'pie']);
    await expect.poll(() => readFile(path.join(stack.folder, 'second', 'snapshot.json'), 'utf8')).toContain(revision);
    await second.service.stop();
    proxy.refuse();
    proxy.cut();
    second = await startSecond('1s');
    await expect.poll(async () => (await fetch(`${second.publicUrl}/health/ready`)).status).toBe(200);
    await expect.poll(() => menu(second.publicUrl)).toBe('pie');
    expect((await health(second))['snapshot']).toMatchObject({ origin: 'file', ageSeconds: expect.any(Number) });
    await proxy.restore();
    await publish(first, 'stew');
    await expect.poll(menus).toEqual(['stew', 'stew']);
  });
});
