import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Client, type Filter, type SearchOptions } from 'ldapts';
import { onTestFinished } from 'vitest';
import { startDirectory, type DirectoryOptions, type RunningDirectory } from './server.js';

/** The directory of the demo, as the specs of this folder serve and ask it. */
export const base = 'dc=corp,dc=example';
export const account = { dn: `cn=claimbridge,ou=Services,${base}`, password: 'demo-directory-password' };
export const adele = `cn=Adele Vance,ou=People,${base}`;
export const ldif = await readFile(path.resolve(import.meta.dirname, '../../../../docker/seeds/directory.ldif'), 'utf8');

/** Stopped at the end of the test. */
export async function serve(options: Partial<DirectoryOptions> = {}): Promise<RunningDirectory> {
  const directory = await startDirectory({ ldif, ...options });
  onTestFinished(() => directory.stop());
  return directory;
}

/** Closed at the end of the test. */
export function client(url: string, ca?: string): Client {
  const ldap = new Client({ url, timeout: 5_000, ...(url.startsWith('ldaps:') && { tlsOptions: { ca } }) });
  onTestFinished(() => ldap.unbind().catch(() => undefined));
  return ldap;
}

export async function bound(url: string, ca?: string): Promise<Client> {
  const ldap = client(url, ca);
  await ldap.bind(account.dn, account.password);
  return ldap;
}

/** The common names of what is found below the naming context. */
export async function names(ldap: Client, filter: string | Filter, options: SearchOptions = {}): Promise<readonly unknown[]> {
  const { searchEntries } = await ldap.search(base, { filter, attributes: ['cn'], ...options });
  return searchEntries.map(({ cn }) => cn);
}
