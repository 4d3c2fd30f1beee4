/** What the specs of this folder share: a directory, and sources in front of it. */
import { Secrets, type Outcome, type Source } from '#claims';
import {
  startDirectory,
  startDnsServer,
  startTcpProxy,
  type DirectoryOptions,
  type DnsZone,
  type RunningDirectory,
  type RunningDnsServer,
  type TcpProxy,
} from '#testing';
import { afterEach, vi } from 'vitest';
import { LdapConnector } from './ldap-connector.js';

/** The account with which the sources bind. */
export const serviceLdif = `dn: cn=service,dc=corp,dc=example
objectClass: user
cn: service
userPassword: right
`;

const ldif = `dn: dc=corp,dc=example
objectClass: domain
dc: corp

${serviceLdif}
dn: cn=Adele,dc=corp,dc=example
objectClass: user
cn: Adele
userPrincipalName: adele@corp.example
department: Finance
objectGUID:: MyIRAFVEd2aImaq7zN3u/w==
objectSid:: AQUAAAAAAAUVAAAA3PTcO4M9K0aCi6YoTQQAAA==
employeeNumber: 0042
description:: /wD+

dn: cn=Ben,dc=corp,dc=example
objectClass: user
cn: Ben
userPrincipalName: ben@corp.example
department: Finance

dn: cn=Everybody,dc=corp,dc=example
objectClass: group
cn: Everybody
member: cn=Adele,dc=corp,dc=example
member: cn=Ben,dc=corp,dc=example
member: cn=service,dc=corp,dc=example
`;

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const each of cleanUp.splice(0).toReversed()) await each();
});

export async function directory(options: Partial<DirectoryOptions> = {}): Promise<RunningDirectory> {
  const running = await startDirectory({ ldif, ...options });
  cleanUp.push(() => running.stop());
  return running;
}

export async function proxy(
  target: { readonly port: number },
  watch?: (sent: Buffer, connection: number) => void,
): Promise<TcpProxy> {
  const running = await startTcpProxy({ host: '127.0.0.1', port: target.port }, watch);
  cleanUp.push(() => running.stop());
  return running;
}

export async function dnsServer(zone: DnsZone): Promise<RunningDnsServer> {
  const running = await startDnsServer(zone);
  cleanUp.push(() => running.stop());
  return running;
}

/** A secret that can be changed while the source is in use. */
export class Password extends Secrets {
  constructor(public text: string) {
    super();
  }
  override read(): Promise<string> {
    return Promise.resolve(this.text);
  }
}

interface Logged {
  readonly fields: object;
  readonly message: string;
}

export function ldap(
  ports: readonly number[],
  options: object = {},
  secrets: Secrets = new Password('right'),
): Source & { logged: Logged[] } {
  const connector = new LdapConnector();
  const base = 'dc=corp,dc=example';
  const config = connector.config.parse({
    type: 'ldap',
    tenants: ['contoso'],
    urls: ports.map((port) => `ldap://127.0.0.1:${port}`),
    allowClearText: true,
    bind: { dn: 'cn=service,dc=corp,dc=example', password: 'env:PASSWORD' },
    limits: { connect: '300ms', operation: '100ms' },
    lookups: {
      user: { base, parameters: ['upn'], filter: '(userPrincipalName={upn})', binaryAttributes: ['EMPLOYEENUMBER'] },
      member: { base, parameters: ['name'], filter: '(cn={name})' },
      'by-sid': {
        base,
        locate: [{ key: 'onPremisesSecurityIdentifier', filter: '(&(objectClass=user)(objectSid={value:sid}))' }],
      },
      'by-guid': { base, parameters: ['guid'], filter: '(objectGUID={guid:guid})' },
      elsewhere: { base: 'dc=other,dc=example', parameters: ['upn'], filter: '(userPrincipalName={upn})' },
    },
    ...options,
  });
  const logged: Logged[] = [];
  const note = (fields: object, message: string): void => void logged.push({ fields, message });
  const source = connector.create('corp-ad', config, { secrets, log: { warn: note, error: note } });
  cleanUp.push(() => source.close());
  return Object.assign(source, { logged });
}

export const patient = new AbortController().signal;

export function find(
  source: Source,
  lookup: string,
  parameters: Record<string, string>,
  projection: string[] = [],
  signal = patient,
): Promise<Outcome> {
  return source.fetch({ lookup, parameters: new Map(Object.entries(parameters)), projection }, signal);
}

export const adele = { upn: 'adele@corp.example' };

/** Waits as long as a busy machine needs. */
export const eventually = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 20_000, interval: 20 });

/** Moves the clock that hold times are measured with. */
export function later(milliseconds: number): void {
  vi.restoreAllMocks();
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + milliseconds);
}

/** Secrets and files by their references; they can be changed while the source is in use. */
export class References extends Secrets {
  constructor(readonly texts: Record<string, string>) {
    super();
  }
  override async read(reference: string): Promise<string> {
    const text = this.texts[reference];
    if (text === undefined) throw new Error(`${reference}: cannot be read`);
    return text;
  }
}
