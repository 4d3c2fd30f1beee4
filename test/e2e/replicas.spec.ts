import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Secrets } from '#claims';
import { openPostgresMappings, type PostgresMappingRepository } from '#mapping-store';
import { startPostgres, startTcpProxy, type RunningPostgres, type TcpProxy } from '#testing';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applications, eventText } from './event.js';
import { ServiceProcess } from './service-process.js';
import { answerOf, environment, startStack, type Answer, type Document, type Stack } from './stack.js';

const key = { tenant: 'contoso', name: 'cafeteria' };
const actor = { id: 'e2e' };
const poll = { timeout: 15_000 };

let database: RunningPostgres;
let proxy: TcpProxy;
let repository: PostgresMappingRepository;
let stack: Stack;
let second: ServiceProcess;
let replicas: readonly { readonly service: ServiceProcess; readonly publicUrl: string; readonly managementUrl: string }[];

class Password extends Secrets {
  override read(): Promise<string> {
    return Promise.resolve(database.password);
  }
}

const mappings = (port: number): Document => ({
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
  polling: '1s',
});

beforeAll(async () => {
  database = await startPostgres();
  proxy = await startTcpProxy(database);
  repository = await openPostgresMappings(
    {
      host: database.host,
      port: database.port,
      database: database.database,
      user: database.user,
      password: 'env:PASSWORD',
      tls: 'disable',
      connections: 2,
      connect: 5_000,
      operation: 10_000,
      polling: 10_000,
      migrate: true,
    },
    new Password(),
  );
  const variables = { MAPPINGS_PASSWORD: database.password };
  stack = await startStack({
    variables,
    configure: (document) => {
      document['mappings'] = mappings(proxy.port);
    },
  });
  const document = parse(await readFile(stack.configurationFile, 'utf8')) as Document;
  document['snapshot'] = { file: path.join(stack.folder, 'second', 'snapshot.json') };
  const configuration = path.join(stack.folder, 'second.yaml');
  await writeFile(configuration, stringify(document));
  second = new ServiceProcess(configuration, { ...environment, ...variables });
  const [first] = [{ service: stack.service, publicUrl: stack.publicUrl, managementUrl: stack.managementUrl }];
  replicas = [first!, { service: second, ...(await second.listening()) }];
});
afterAll(async () => {
  await second?.stop();
  await stack?.[Symbol.asyncDispose]();
  await repository?.close();
  await proxy?.stop();
  await database?.stop();
});

async function publish(value: string): Promise<string> {
  const present = await repository.read(key);
  const version = present.kind === 'found' ? present.record.version : 0;
  const document = {
    ...key,
    applications: [applications.cafeteria],
    claims: { menu: { value } },
  };
  const saved = await repository.saveDraft(key, document, version, actor);
  if (saved.kind !== 'changed') return expect.unreachable(JSON.stringify(saved));
  const published = await repository.publish(key, saved.record.version, value, actor, () => Promise.resolve([]));
  if (published.kind !== 'changed') return expect.unreachable(JSON.stringify(published));
  return published.record.published!.revision;
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
const menus = (): Promise<readonly unknown[]> => Promise.all(replicas.map(({ publicUrl }) => menu(publicUrl)));
const health = async (managementUrl: string): Promise<Document> => {
  const response = await fetch(`${managementUrl}/admin/health`, {
    headers: { authorization: `Bearer ${await stack.operatorToken()}` },
  });
  return (await response.json()) as Document;
};

describe('two replicas and one database of mappings', () => {
  it('both serve what was published, roll back and deletion too, and every answer names its revision', async () => {
    await expect.poll(menus, poll).toEqual(['none', 'none']);
    const soup = await publish('soup');
    await expect.poll(menus, poll).toEqual(['soup', 'soup']);
    await publish('salad');
    await expect.poll(menus, poll).toEqual(['salad', 'salad']);
    const present = await repository.read(key);
    if (present.kind !== 'found') return expect.unreachable(present.kind);
    await repository.rollBack(key, 1, present.record.version, 'nobody likes salad', actor, () => Promise.resolve([]));
    await expect.poll(menus, poll).toEqual(['soup', 'soup']);
    for (const { service } of replicas)
      await expect
        .poll(() => service.log.findLast(({ msg }) => msg === 'event'), poll)
        .toMatchObject({ mapping: 'cafeteria', revision: soup });
    const rolledBack = await repository.read(key);
    if (rolledBack.kind !== 'found') return expect.unreachable(rolledBack.kind);
    const deleted = await repository.delete(key, rolledBack.record.version, actor, () => Promise.resolve([]));
    await expect.poll(menus, poll).toEqual(['none', 'none']);
    if (deleted.kind !== 'changed') return expect.unreachable(deleted.kind);
    await repository.restore(key, deleted.record.version, actor, () => Promise.resolve([]));
    await expect.poll(menus, poll).toEqual(['soup', 'soup']);
  });

  it('serve on while the database is away, hear of what they missed when it is back, and say so', async () => {
    await publish('bread');
    await expect.poll(menus, poll).toEqual(['bread', 'bread']);
    proxy.refuse();
    proxy.cut();
    const states = () => Promise.all(replicas.map(async ({ managementUrl }) => (await health(managementUrl))['store'].state));
    await expect.poll(states, poll).toEqual(['down', 'down']);
    await publish('cake');
    expect(await menus()).toEqual(['bread', 'bread']);
    for (const { publicUrl, managementUrl } of replicas) {
      expect((await fetch(`${publicUrl}/health/ready`)).status).toBe(200);
      const report = await health(managementUrl);
      expect(report).toMatchObject({ status: 'degraded', store: { kind: 'postgres', listening: false } });
    }
    await proxy.restore();
    await expect.poll(menus, poll).toEqual(['cake', 'cake']);
    await expect
      .poll(async () => (await health(replicas[1]!.managementUrl))['store'], poll)
      .toMatchObject({ state: 'up', listening: true });
  });

  it('start without the database from what they kept on disk', async () => {
    const revision = await publish('pie');
    await expect.poll(menus, poll).toEqual(['pie', 'pie']);
    await expect.poll(async () => readFile(path.join(stack.folder, 'second', 'snapshot.json'), 'utf8'), poll).toContain(revision);
    await second.stop();
    proxy.refuse();
    proxy.cut();
    second = new ServiceProcess(path.join(stack.folder, 'second.yaml'), {
      ...environment,
      MAPPINGS_PASSWORD: database.password,
    });
    const addresses = await second.listening();
    replicas = [replicas[0]!, { service: second, ...addresses }];
    await expect.poll(async () => (await fetch(`${addresses.publicUrl}/health/ready`)).status, poll).toBe(200);
    await expect.poll(() => menu(addresses.publicUrl), poll).toBe('pie');
    expect((await health(addresses.managementUrl))['snapshot']).toMatchObject({
      origin: 'file',
      ageSeconds: expect.any(Number),
    });
    await proxy.restore();
    await publish('stew');
    await expect.poll(menus, poll).toEqual(['stew', 'stew']);
  });
});
