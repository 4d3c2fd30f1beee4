import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applications, eventText } from '../../e2e/event.js';
import { ServiceProcess } from '../../e2e/service-process.js';
import { answerOf, environment, operator, startStack, type Answer, type Stack } from '../../e2e/stack.js';
import { expectWhole, killDuring } from './whole.js';

const kills = 8;
const mapping = '/admin/v1/mappings/contoso/cafeteria';
/** Of docker/seeds/entra.yaml. */
const administrator = 'f7a9c3d1-0e2b-4c5d-8a6f-1b2c3d4e5f02';

let stack: Stack;
let observer: pg.Client;
let service: ServiceProcess | undefined;

beforeAll(async () => {
  stack = await startStack({
    configure: async (document, { folder, postgres: { host, port, database, user, password } }) => {
      await writeFile(path.join(folder, 'store-password'), password);
      const postgres = { host, port, database, user, password: 'file:store-password', tls: 'disable', migrate: true };
      document['mappings'] = { postgres };
      observer = new pg.Client({ host, port, user, password, database });
    },
  });
  await stack.service.stop();
  await observer.connect();
});
afterAll(async () => {
  await service?.stop();
  await observer?.end();
  await stack?.[Symbol.asyncDispose]();
});

async function startService(): Promise<{ readonly publicUrl: string; readonly managementUrl: string }> {
  service = new ServiceProcess(stack.configurationFile, environment);
  return service.listening();
}

/** Asks the admin API; rejects where the service is gone. */
async function ask(managementUrl: string, method: string, route: string, body?: object, etag?: string): Promise<Answer> {
  const answer = await answerOf(
    await fetch(managementUrl + route, {
      method,
      headers: {
        authorization: `Bearer ${await stack.simulator.clientToken(administrator, operator.audience)}`,
        ...(body && { 'content-type': 'application/json' }),
        ...(etag !== undefined && { 'if-match': etag }),
      },
      ...(body && { body: JSON.stringify(body) }),
    }),
  );
  if (answer.status >= 400 && answer.status !== 404) throw new Error(`${method} ${route}: ${answer.text}`);
  return answer;
}

const versionOf = ({ headers }: Answer): number => Number(headers.get('etag')!.replaceAll('"', ''));

/** Changes the mapping for ever, as an operator does, and says after each change how far it is. */
async function* changes(managementUrl: string): AsyncGenerator<number> {
  const draft = (dish: string): object => ({
    tenant: 'contoso',
    name: 'cafeteria',
    applications: [applications.cafeteria],
    claims: { menu: { value: dish } },
    tests: [{ name: 'menu', expect: { menu: dish } }],
  });
  const present = await ask(managementUrl, 'GET', mapping);
  let etag = present.status === 404 ? undefined : present.headers.get('etag')!;
  const change = async (method: string, route: string, body?: object): Promise<number> => {
    const answer = await ask(managementUrl, method, route, body, etag);
    etag = answer.headers.get('etag')!;
    return versionOf(answer);
  };
  for (let round = 0; ; round++) {
    const dish = `dish ${round} of ${managementUrl}`;
    if (etag === undefined) yield await change('POST', '/admin/v1/mappings', draft(dish));
    else yield await change('PUT', `${mapping}/draft`, draft(dish));
    yield await change('POST', `${mapping}/publish`, { comment: dish });
    yield await change('POST', `${mapping}/rollback`, { to: 1 });
    yield await change('DELETE', mapping);
    yield await change('POST', `${mapping}/restore`);
  }
}

/** Has a service publish, and kills it at a random moment of one of its changes. @returns the last version that was told */
async function publishAndKill(managementUrl: string): Promise<number> {
  const running = service!;
  let told = 0;
  let spared = 1 + Math.floor(Math.random() * 5);
  let toldAt = 0;
  try {
    for await (const version of changes(managementUrl)) {
      told = version;
      const took = performance.now() - toldAt;
      toldAt = performance.now();
      if (--spared === 0) killDuring(took, () => running.kill('SIGKILL'));
    }
  } catch (error) {
    // The connection of a process that is gone; a refusal would be an Error of ours.
    if (!(error instanceof TypeError)) throw error;
  }
  expect(await running.exited).toMatchObject({ signal: 'SIGKILL' });
  return told;
}

/** What sign-ins get: the menu, or nothing where no mapping serves the application. */
async function menu(publicUrl: string): Promise<unknown> {
  const { status, json } = await answerOf(
    await fetch(`${publicUrl}/api/onTokenIssuanceStart`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await stack.simulator.mintExtensionToken()}`, 'content-type': 'application/json' },
      body: eventText(applications.cafeteria),
    }),
  );
  return status === 200 ? json.data.actions[0].claims.menu : status;
}

describe('a service that is killed while it publishes by its admin API', () => {
  it(`leaves no half of anything, and the next one serves what is published, ${kills} times`, { timeout: 600_000 }, async () => {
    for (let count = 0; count < kills; count++) {
      const told = await publishAndKill((await startService()).managementUrl);
      expect(told).toBeGreaterThan(0);
      await expectWhole(observer, new Map([['cafeteria', told]]));
      const { publicUrl, managementUrl } = await startService();
      const { json } = await ask(managementUrl, 'GET', mapping);
      const inForce = json.published && (await ask(managementUrl, 'GET', `${mapping}/revisions/published`)).json.document;
      await expect.poll(() => menu(publicUrl)).toBe(inForce?.claims.menu.value);
      await service!.stop();
    }
  });
});
