/** The three directories that the suites of this folder ask the same questions: ours in this process, OpenLDAP, and a Samba domain. */
import {
  describeWithSamba,
  describeWithSlapd,
  selfSigned,
  startDirectory,
  startSamba,
  startSlapd,
  type DirectoryOptions,
} from '#testing';
import { Client, type ClientOptions } from 'ldapts';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';

export type ServerName = 'in process' | 'slapd' | 'Samba';

export interface Server {
  readonly name: ServerName;
  /** In clear text, StartTLS offered. */
  readonly url: string;
  readonly secureUrl: string;
  readonly host: string;
  /** PEM of the authority of its certificate. */
  readonly ca: string;
  stop(): Promise<void>;
}

export const base = 'dc=corp,dc=example';
export const account = { dn: `cn=service,${base}`, password: 'a Service passw0rd' } as const;
export const domainSid = 'S-1-5-21-1004336348-1177238915-682003330';

export type EntryLines = Readonly<Record<string, string | number | Uint8Array | readonly (string | Uint8Array)[]>>;

/** An entry of LDIF; every value in base64. */
export function entry(dn: string, attributes: EntryLines): string {
  const values = (value: EntryLines[string]): readonly (string | Uint8Array)[] =>
    Array.isArray(value) ? value : [typeof value === 'number' ? String(value) : (value as string | Uint8Array)];
  const lines = Object.entries({ dn, ...attributes }).flatMap(([name, value]) =>
    values(value).map((each) => `${name}:: ${Buffer.from(each).toString('base64')}\n`),
  );
  return `${lines.join('')}\n`;
}

/** The naming context and the account that searches; `entries` come behind. */
export const directoryOf = (...entries: readonly string[]): string =>
  [
    entry(base, { objectClass: ['top', 'dcObject', 'organization'], dc: 'corp', o: 'Corp' }),
    entry(account.dn, {
      objectClass: 'user',
      cn: 'service',
      sn: 'service',
      sAMAccountName: 'svc',
      userPrincipalName: 'svc@corp.example',
      userPassword: account.password,
    }),
    ...entries,
  ].join('');

const starts: Readonly<Record<ServerName, (ldif: string, options?: Partial<DirectoryOptions>) => Promise<Server>>> = {
  async 'in process'(ldif, options = {}) {
    const tls = await selfSigned();
    const [plain, secure] = [
      await startDirectory({ ...options, ldif, tls }),
      await startDirectory({ ...options, ldif, tls: { ...tls, implicit: true } }),
    ];
    const stop = async (): Promise<void> => void (await Promise.all([plain.stop(), secure.stop()]));
    return { name: 'in process', url: plain.url, secureUrl: secure.url, host: '127.0.0.1', ca: tls.cert, stop };
  },
  async slapd(ldif) {
    const tls = await selfSigned();
    const [plain, secure] = [
      await startSlapd({ ldif, tls, sizeLimit: 10_000 }),
      await startSlapd({ ldif, tls: { ...tls, implicit: true } }),
    ];
    const stop = async (): Promise<void> => void (await Promise.all([plain.stop(), secure.stop()]));
    return { name: 'slapd', url: plain.url, secureUrl: secure.url, host: '127.0.0.1', ca: tls.cert, stop };
  },
  async Samba(ldif) {
    const { url, secureUrl, address, ca, stop } = await startSamba({ ldif, requireStrongAuth: false });
    return { name: 'Samba', url, secureUrl, host: address, ca, stop };
  },
};

export const startServer = (name: ServerName, ldif: string, options?: Partial<DirectoryOptions>): Promise<Server> =>
  starts[name](ldif, options);

/** The suite once for each of the servers that is installed here, with the entries loaded; `server` is for use inside tests. */
export function describeServers(
  title: string,
  ldif: string,
  body: (name: ServerName, server: () => Server) => void,
  names: readonly ServerName[] = ['in process', 'slapd', 'Samba'],
): void {
  const suites: Readonly<Record<ServerName, (full: string, suite: () => void) => unknown>> = {
    'in process': (full, suite) =>
      describe(`${full}`, () => {
        suite();
      }),
    slapd: (full, suite) => describeWithSlapd(describe, full, suite),
    Samba: (full, suite) => describeWithSamba(describe, full, suite),
  };
  for (const name of names)
    suites[name](`${title}: ${name}`, () => {
      let server: Server | undefined;
      beforeAll(async () => {
        server = await startServer(name, ldif);
      });
      afterAll(() => server?.stop());
      body(name, () => {
        if (!server) throw new Error(`${name} has not started`);
        return server;
      });
    });
}

/** Not yet bound; closed at the end of the test. */
export function client(server: Server, url = server.url, options: Partial<ClientOptions> = {}): Client {
  const ldap = new Client({
    url,
    timeout: 20_000,
    ...(url.startsWith('ldaps:') && { tlsOptions: { ca: server.ca } }),
    ...options,
  });
  onTestFinished(() => ldap.unbind().catch(() => undefined));
  return ldap;
}

export async function bound(server: Server, url = server.url): Promise<Client> {
  const ldap = client(server, url);
  await ldap.bind(account.dn, account.password);
  return ldap;
}
