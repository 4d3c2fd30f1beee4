import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Caller } from './callout.js';
import { createServerCertificate } from './certificates.js';
import { ConfigurationError, readConfiguration, type SimulatorConfiguration, type SimulatorDocument } from './config.js';
import { KeyRing, type RollMode } from './keys.js';
import { Faults, type FaultsRequest } from './metadata.js';
import { createListener, rollKeys } from './server.js';
import { playSignIn, signInRequest, tenantOf, type PlayedSignIn, type SignInRequest } from './sign-in.js';
import { TokenIssuer, type TokenOverrides } from './tokens.js';

export { ConfigurationError, type DocumentIssue, type SimulatorDocument } from './config.js';
export { SimulatorError } from './simulator-error.js';
export type { PlayedSignIn, SignInRequest } from './sign-in.js';
export type { TokenOverrides } from './tokens.js';

export interface SimulatorOptions {
  /** The configuration, or the path of a YAML file that holds it. */
  readonly config: SimulatorDocument | string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly host?: string;
  /** Instead of every extension's targetUrl. */
  readonly targetUrl?: string;
  /** The base of issuers and metadata; https://localhost:<port> by default. */
  readonly publicUrl?: string;
  /** Where the certificate of the CA is written, in PEM. */
  readonly caFile?: string;
  /** Host names and addresses beyond localhost and that of the public URL. */
  readonly names?: readonly string[];
}

/** A running simulator. */
export interface Simulator {
  /** Where it listens, by the name localhost. */
  readonly url: string;
  /** The certificate to trust, in PEM. It vouches for this simulator only. */
  readonly ca: string;
  /** Plays a sign-in; one that fails is an answer too. */
  signIn(request: SignInRequest): Promise<PlayedSignIn>;
  /** A new token of Entra's extensions service for the claims provider, right or wrong as the overrides say. */
  mintExtensionToken(overrides?: TokenOverrides, tenant?: string): Promise<string>;
  /** Signs with a new key from now on; answers its kid. The old one stays published, or not (`emergency`). */
  rollKeys(mode?: RollMode): Promise<string>;
  /** Breaks metadata and keys, or mends them (`none`). */
  setFaults(faults: FaultsRequest): void;
  /** Ends the server and every connection. */
  stop(): Promise<void>;
}

/**
 * Starts a simulator.
 * @throws ConfigurationError where the configuration or an address is not as it must be
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const publicUrl = options.publicUrl === undefined ? undefined : httpsBase(options.publicUrl);
  const configuration = withTarget(await readConfiguration(options.config), options.targetUrl);
  const publicHost = publicUrl === undefined ? [] : [new URL(publicUrl).hostname.replace(/^\[(.*)\]$/, '$1')];
  const [{ ca, certificate, key }, keys] = await Promise.all([
    createServerCertificate(['localhost', '127.0.0.1', '::1', ...publicHost, ...(options.names ?? [])]),
    KeyRing.create(),
  ]);
  let url = '';
  const baseUrl = () => publicUrl ?? url;
  const caller = new Caller();
  const faults = new Faults();
  const tokens = new TokenIssuer(keys, baseUrl);
  const parts = { configuration, keys, tokens, caller, faults, baseUrl };
  const server = createServer({ key, cert: certificate }, createListener(parts));
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await Promise.all([closed, caller.close()]);
  };
  try {
    if (options.caFile !== undefined) await writeWhole(options.caFile, ca);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    ca,
    signIn: async (request) => playSignIn(parts, signInRequest.parse(request)),
    mintExtensionToken: async (overrides, tenant) => tokens.mintExtensionToken(tenantOf(configuration, tenant), overrides),
    rollKeys: (mode) => rollKeys(parts, mode),
    setFaults: (changed) => faults.set(changed),
    stop,
  };
}

/** Readers see the old content or all of the new. */
async function writeWhole(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content, { mode: 0o644 });
  await rename(`${file}.new`, file);
}

function withTarget(configuration: SimulatorConfiguration, targetUrl: string | undefined): SimulatorConfiguration {
  if (targetUrl === undefined) return configuration;
  if (!/^https?:$/.test(protocolOf(targetUrl))) throw badOption('targetUrl', 'must be an http or https address');
  for (const tenant of Object.values(configuration.tenants))
    for (const extension of Object.values(tenant.extensions)) extension.targetUrl = targetUrl;
  return configuration;
}

function httpsBase(address: string): string {
  if (protocolOf(address) !== 'https:') throw badOption('publicUrl', 'must be an https address');
  return address.replace(/\/+$/, '');
}

function protocolOf(address: string): string {
  return URL.canParse(address) ? new URL(address).protocol : '';
}

function badOption(path: string, reason: string): ConfigurationError {
  return new ConfigurationError([{ path, reason }]);
}
