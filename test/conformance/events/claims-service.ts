import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { startSimulator } from '../../../apps/entra-simulator/src/index.js';
import { ServiceProcess } from '../../e2e/service-process.js';

export const tenantId = '2b7f4c1d-9e30-4a58-8c66-0d1e2f3a4b5c';
const audience = '6f1d2c3b-4a59-4e68-9777-8a9b0c1d2e3f';
export const applicationId = '9c8b7a69-5847-4362-9514-233241506978';

/** What the service provides to every event of the fixture's application, whatever source there is not. */
export const provided = { tier: 'gold', roles: ['reader', 'writer'] };

export type ClaimsService = Awaited<ReturnType<typeof startClaimsService>>;

/**
 * The built service in a process of its own, with the Entra simulator for its tokens, no source, and one mapping whose claims are
 * fixed, but for `name`: the user's display name as the service understood it.
 */
export async function startClaimsService({ environment }: { readonly environment?: Readonly<Record<string, string>> } = {}) {
  await using parts = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'claimbridge-events-'));
  parts.defer(() => rm(folder, { recursive: true, force: true }));
  const caFile = path.join(folder, 'ca.pem');
  const simulator = await startSimulator({
    config: { tenants: { fabrikam: { tenantId, api: { appId: audience, requestedAccessTokenVersion: 2 } } } },
    caFile,
  });
  parts.defer(() => simulator.stop());

  const mappings = path.join(folder, 'mappings');
  await mkdir(mappings);
  const claims = { tier: { value: provided.tier }, roles: { value: provided.roles }, name: { from: 'subject.displayName' } };
  await writeFile(
    path.join(mappings, 'portal.yaml'),
    stringify({ name: 'portal', tenant: 'fabrikam', applications: [applicationId], claims, overflow: { drop: ['name'] } }),
  );
  const issuer = `${simulator.url}/${tenantId}/v2.0`;
  const configuration = path.join(folder, 'claimbridge.yaml');
  await writeFile(
    configuration,
    stringify({
      listen: { public: { host: '127.0.0.1', port: 0 }, management: { host: '127.0.0.1', port: 0 } },
      // A busy machine must not turn an answer into a 503.
      entra: { timeout: '2s', edgeAllowance: '100ms' },
      tenants: {
        fabrikam: { tenantId, audience, issuers: [{ issuer, metadata: `${issuer}/.well-known/openid-configuration` }] },
      },
      trust: { ca: `file:${caFile}` },
      mappings: { folder: mappings },
      shutdown: { delay: '0ms', limit: '5s' },
    }),
  );
  const service = new ServiceProcess(configuration, environment);
  parts.defer(async () => void (await service.stop()));
  const { publicUrl, managementUrl } = await service.listening();
  while ((await fetch(`${publicUrl}/health/ready`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
  const authorization = `Bearer ${await simulator.mintExtensionToken()}`;
  const running = parts.move();
  return {
    service,
    simulator,
    publicUrl,
    managementUrl,
    endpoint: `${publicUrl}/api/onTokenIssuanceStart`,
    /** A token that the service accepts, as the header's value. */
    authorization,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
