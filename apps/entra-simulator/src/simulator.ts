import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Caller } from './callout.js';
import { createServerCertificate } from './certificates.js';
import { ConfigurationError, readConfiguration, type SimulatorDocument } from './config.js';
import { KeyRing, type RollMode } from './keys.js';
import { createRequestListener, type Faults } from './routes.js';
import { playSignIn, signInRequest, tenantOf, type SignIn, type SignInRequest } from './sign-in.js';
import { TokenIssuer, type TokenOverrides } from './tokens.js';

export interface SimulatorOptions {
  /** The configuration, or the path of the YAML file that holds it. */
  readonly config: SimulatorDocument | string;
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** A free port by default. */
  readonly port?: number;
  /** The base of issuers and addresses, where the simulator is reached by another name; `https://localhost:<port>` by default. */
  readonly publicUrl?: string;
  /** Further names and addresses for the certificate. */
  readonly names?: readonly string[];
  /** Where events are posted, instead of each extension's own target. */
  readonly targetUrl?: string;
  /** Where the certificate of the throw-away authority is written (PEM). */
  readonly caFile?: string;
}

export interface Simulator {
  readonly url: string;
  /** The certificate of the throw-away authority (PEM). */
  readonly ca: string;
  setTargetUrl(targetUrl: string): void;
  signIn(request: SignInRequest): Promise<SignIn>;
  /** A new token as Entra would send it to the claims provider, with what a test wants otherwise. */
  mintExtensionToken(overrides?: TokenOverrides, tenant?: string): Promise<string>;
  /** The token that a client of the configuration gets for a resource. */
  clientToken(clientId: string, resource: string, tenant?: string): Promise<string>;
  rollKeys(mode?: RollMode): Promise<void>;
  setFaults(faults: Faults): void;
  stop(): Promise<void>;
}

/** Starts an Entra that is played: metadata, keys and tokens over https, and sign-ins that call the claims provider. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const configuration = await readConfiguration(options.config);
  const { host = '127.0.0.1', port = 0, publicUrl, names = [], caFile } = options;
  if (publicUrl !== undefined) requireAddress('publicUrl', publicUrl, ['https']);
  const requireTarget = (url: string): string => requireAddress('targetUrl', url, ['http', 'https']);
  const ownNames = publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
  const { ca, certificate, key } = await createServerCertificate(['localhost', '127.0.0.1', '::1', ...ownNames, ...names]);
  const keys = await KeyRing.create();
  const caller = new Caller();
  let url = publicUrl?.replace(/\/+$/, '') ?? '';
  let targetUrl = options.targetUrl === undefined ? undefined : requireTarget(options.targetUrl);
  let faults: Faults = { metadata: 'none', keys: 'none' };
  const tokens = new TokenIssuer(keys, () => url);
  const roll = async (mode: RollMode): Promise<void> => {
    await keys.roll(mode);
    tokens.forget();
  };
  const signIn = (request: SignInRequest): Promise<SignIn> =>
    playSignIn(signInRequest.parse(request), { configuration, tokens, caller, targetUrl });

  const listener = createRequestListener({
    configuration,
    keys,
    tokens,
    url: () => url,
    signIn,
    roll,
    faults: () => faults,
    setFaults: (wanted) => void (faults = wanted),
  });
  const server = createServer({ cert: certificate, key }, listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  if (url === '') url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const stop = async (): Promise<void> => {
    await caller.close();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  try {
    if (caFile !== undefined) await writeAtOnce(caFile, ca);
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    url,
    ca,
    signIn,
    setTargetUrl: (wanted) => void (targetUrl = requireTarget(wanted)),
    mintExtensionToken: (overrides = {}, tenant) => tokens.mintExtensionToken(tenantOf(configuration, tenant), overrides),
    clientToken: async (clientId, resource, tenantName) => {
      const tenant = tenantOf(configuration, tenantName);
      const client = Object.values(tenant.clients).find((candidate) => candidate.clientId === clientId);
      if (!client) throw new Error('there is no client of this id');
      return tokens.clientToken(tenant, client, resource);
    },
    rollKeys: (mode = 'emergency') => roll(mode),
    setFaults: (wanted) => void (faults = wanted),
    stop,
  };
}

function requireAddress(path: string, address: string, schemes: readonly string[]): string {
  if (URL.canParse(address) && schemes.includes(new URL(address).protocol.slice(0, -1))) return address;
  throw new ConfigurationError([{ path, reason: `must be an ${schemes.join(' or ')} address` }]);
}

/** Who waits for the file sees all of it or nothing: it is written beside its place and renamed. */
async function writeAtOnce(file: string, text: string): Promise<void> {
  const beside = `${file}.${randomUUID()}`;
  try {
    await writeFile(beside, text, { mode: 0o644, flag: 'wx' });
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
