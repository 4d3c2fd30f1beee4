import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { slapdAvailable, startDirectory, startPostgres, startSlapd } from '#testing';
import { startSimulator } from '../../apps/entra-simulator/src/index.js';
import { tenantId } from '../e2e/stack.js';
import { account, databaseSql, directoryLdif, exchanges } from './people.js';
import type { Settings } from './servers/settings.js';

const audience = 'b0a4d6a2-53f1-4b39-9a7c-1de0c4c5f201';

export type BackEnds = Awaited<ReturnType<typeof startBackEnds>>;

/** What every server asks: one directory, one database, one Entra. */
export async function startBackEnds(people: number) {
  await using parts = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-bench-'));
  // Also where a signal comes while the parts are being started.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const caFile = path.join(folder, 'ca.pem');
  const config = { tenants: { contoso: { tenantId, api: { appId: audience, requestedAccessTokenVersion: 2 as const } } } };
  const simulator = await startSimulator({ config, caFile });
  parts.defer(() => simulator.stop());
  const ldif = directoryLdif(people);
  const engine = slapdAvailable() ? 'slapd' : 'the in-process directory';
  const directory = await (engine === 'slapd' ? startSlapd({ ldif }) : startDirectory({ ldif }));
  parts.defer(() => directory.stop());
  const postgres = await startPostgres({ sql: [databaseSql(people)] });
  parts.defer(() => postgres.stop());

  const issuer = `${simulator.url}/${tenantId}/v2.0`;
  const settings: Settings = {
    tenantId,
    audience,
    issuer,
    metadata: `${issuer}/.well-known/openid-configuration`,
    keys: `${simulator.url}/${tenantId}/discovery/v2.0/keys`,
    directory: {
      url: directory.url,
      base: 'ou=People,dc=corp,dc=example',
      dn: account.dn,
      password: account.password,
    },
    database: {
      host: postgres.host,
      port: postgres.port,
      database: postgres.database,
      user: account.role,
      password: account.rolePassword,
    },
  };
  const file = async (name: string, content: unknown): Promise<string> => {
    const full = path.join(folder, name);
    await writeFile(full, JSON.stringify(content));
    return full;
  };
  const [settingsFile, exchangesFile] = [await file('settings.json', settings), await file('exchanges.json', exchanges(people))];
  const authorization = `Bearer ${await simulator.mintExtensionToken()}`;
  const running = parts.move();
  return {
    engine,
    folder,
    caFile,
    settings,
    settingsFile,
    exchangesFile,
    authorization,
    /** Writes a file beside them; answers its path. */
    file,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
