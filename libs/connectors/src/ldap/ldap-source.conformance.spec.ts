import { Secrets } from '#claims';
import { describeWithSamba, describeWithSlapd, startDirectory, startSamba, startSlapd, startTcpProxy } from '#testing';
import { describe } from 'vitest';
import { conformancePeople, describeSource, type ConformanceSystem } from '../source.conformance.js';
import { LdapConnector } from './ldap-connector.js';

const account = { dn: 'cn=service,dc=corp,dc=example', password: 'a service password' };

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const ldif = [
  ['dn: dc=corp,dc=example', 'objectClass: top', 'objectClass: dcObject', 'objectClass: organization', 'dc: corp', 'o: Corp'],
  ['dn: ou=People,dc=corp,dc=example', 'objectClass: organizationalUnit', 'ou: People'],
  [`dn: ${account.dn}`, 'objectClass: user', 'cn: service', 'sn: service', `userPassword: ${account.password}`],
  ...conformancePeople.map(({ userPrincipalName, displayName, department, otherTelephone }, index) => [
    `dn: cn=p${index},ou=People,dc=corp,dc=example`,
    'objectClass: user',
    `cn: p${index}`,
    `sn: p${index}`,
    `userPrincipalName:: ${base64(userPrincipalName)}`,
    `displayName:: ${base64(displayName)}`,
    `department: ${department}`,
    ...otherTelephone.map((number) => `otherTelephone: ${number}`),
  ]),
]
  .map((entry) => `${entry.join('\n')}\n`)
  .join('\n');

class OnlySecret extends Secrets {
  override read(): Promise<string> {
    return Promise.resolve(account.password);
  }
}

async function behindProxy(directory: {
  readonly address?: string;
  readonly limits?: object;
  readonly port: number;
  stop(): Promise<void>;
}): Promise<ConformanceSystem> {
  const proxy = await startTcpProxy({ host: directory.address ?? '127.0.0.1', port: directory.port });
  const connector = new LdapConnector();
  const people = { base: 'ou=People,dc=corp,dc=example' };
  const config = connector.config.parse({
    type: 'ldap',
    tenants: ['contoso'],
    urls: [`ldap://127.0.0.1:${proxy.port}`],
    allowClearText: true,
    bind: { dn: account.dn, password: 'env:PASSWORD' },
    limits: directory.limits ?? { connect: '500ms' },
    lookups: {
      person: { ...people, parameters: ['upn'], filter: '(&(objectClass=user)(userPrincipalName={upn}))' },
      colleague: { ...people, parameters: ['department'], filter: '(&(objectClass=user)(department={department}))' },
      located: { ...people, locate: [{ key: 'onPremisesUserPrincipalName', filter: '(userPrincipalName={value})' }] },
    },
  });
  const log = { warn: () => undefined, error: () => undefined };
  const source = connector.create('corp-ad', config, { secrets: new OnlySecret(), log });
  return {
    source,
    network: {
      hang: () => proxy.blackHole(),
      fail: async () => {
        await proxy.refuse();
        proxy.cut();
      },
      restore: () => proxy.restore(),
    },
    stop: async () => {
      await source.close();
      await proxy.stop();
      await directory.stop();
    },
  };
}

describeSource('an LDAP directory in process', async () => behindProxy(await startDirectory({ ldif })));

describeWithSlapd(describe, 'with OpenLDAP', () =>
  describeSource('OpenLDAP', async () => behindProxy(await startSlapd({ ldif }))),
);

// It starts a process for each connection, which takes its time on a busy machine.
describeWithSamba(describe, 'with a Samba domain controller', () =>
  describeSource('Samba', async () => {
    const samba = await startSamba({ ldif, requireStrongAuth: false });
    const limits = { connect: '3s', operation: '10s' };
    return behindProxy({ address: samba.address, port: 389, limits, stop: () => samba.stop() });
  }),
);
