import { Secrets, type Outcome } from '#claims';
import { describe, expect, it } from 'vitest';
import { Password, adele, directory, find, ldap, patient, serviceLdif } from './ldap-source.harness.js';

const guid = '00112233-4455-6677-8899-aabbccddeeff';
const sid = 'S-1-5-21-1004336348-1177238915-682003330-1101';

describe('values', () => {
  it('are bytes where the attribute is binary or not text, ignoring the case of names', async () => {
    const source = ldap([(await directory()).port]);
    const outcome = await find(source, 'user', adele, ['OBJECTGUID', 'objectsid', 'employeenumber', 'description', 'cn']);
    if (outcome.kind !== 'found') throw new Error(outcome.kind);
    const bytes = (name: string): unknown =>
      outcome.attributes.get(name).map((value) => value instanceof Uint8Array && Buffer.from(value).toString('hex'));
    expect(bytes('objectGUID')).toEqual(['33221100554477668899aabbccddeeff']);
    expect(bytes('objectSid')).toEqual(['010500000000000515000000dcf4dc3b833d2b46828ba6284d040000']);
    expect(bytes('employeeNumber')).toEqual([Buffer.from('0042').toString('hex')]);
    expect(bytes('description')).toEqual(['ff00fe']);
    expect(outcome.attributes.get('cn')).toEqual(['Adele']);
  });

  it('of identifiers find their entry, and what is no identifier finds nobody without a question', async () => {
    const running = await directory();
    const source = ldap([running.port]);
    const locate = (value: string): Promise<Outcome> =>
      source.fetch({ lookup: 'by-sid', locateRule: 0, parameters: new Map([['value', value]]), projection: ['cn'] }, patient);
    expect(await locate(sid)).toMatchObject({ kind: 'found' });
    expect(await find(source, 'by-guid', { guid }, ['cn'])).toMatchObject({ kind: 'found' });
    const before = running.searches;
    expect(await locate('adele')).toEqual({ kind: 'notFound', reason: 'noEntry' });
    expect(running.searches).toBe(before);
  });

  it('that the directory sends in parts are all there, at 1,500 values an answer too', async () => {
    const all = ['cn=Adele,dc=corp,dc=example', 'cn=Ben,dc=corp,dc=example', 'cn=service,dc=corp,dc=example'];
    for (const valueRange of [1, 2, 3]) {
      const running = await directory({ valueRange });
      const outcome = await find(ldap([running.port]), 'member', { name: 'Everybody' }, ['member', 'cn']);
      expect(outcome.kind === 'found' && outcome.attributes.get('member')).toEqual(all);
      expect(running.searches).toBe(Math.ceil(3 / valueRange));
    }
    const members = Array.from({ length: 5_000 }, (_, index) => `cn=Person ${index},ou=People,dc=corp,dc=example`);
    const large = ['dn: dc=corp,dc=example', 'objectClass: group', 'cn: All', ...members.map((name) => `member: ${name}`), ''];
    const running = await directory({ ldif: `${large.join('\n')}\n${serviceLdif}` });
    const outcome = await find(ldap([running.port]), 'member', { name: 'All' }, ['MEMBER']);
    expect(outcome.kind === 'found' && outcome.attributes.get('member')).toEqual(members);
    expect(running.searches).toBe(4);
  });

  it('that are more than a lookup may answer are no answer', async () => {
    const members = Array.from({ length: 2_000 }, (_, index) => `cn=${'x'.repeat(600)}${index},dc=corp,dc=example`);
    const large = ['dn: dc=corp,dc=example', 'objectClass: group', 'cn: All', ...members.map((name) => `member: ${name}`), ''];
    const running = await directory({ ldif: `${large.join('\n')}\n${serviceLdif}` });
    expect(await find(ldap([running.port]), 'member', { name: 'All' }, ['member'])).toMatchObject({
      kind: 'unavailable',
      reason: 'limit',
    });
  });

  it('are never taken from an answer that the directory cut short', async () => {
    const source = ldap([(await directory({ sizeLimit: 1 })).port], {
      lookups: { user: { base: 'dc=corp,dc=example', parameters: ['d'], filter: '(department={d})' } },
    });
    expect(await find(source, 'user', { d: 'Finance' }, ['cn'])).toEqual({ kind: 'ambiguous' });
  });
});

describe('a wrong configuration', () => {
  it('is told from a person who is not there', async () => {
    const source = ldap([(await directory()).port]);
    expect(await find(source, 'elsewhere', adele)).toEqual({
      kind: 'unavailable',
      reason: 'refused',
      detail: 'noSuchObject (32)',
    });
  });

  it('of the secret is found before anything is sent', async () => {
    const running = await directory();
    expect(await find(ldap([running.port], {}, new Password('')), 'user', adele)).toMatchObject({
      reason: 'credentials',
      detail: 'env:PASSWORD: is empty',
    });
    class Missing extends Secrets {
      override read(): Promise<string> {
        return Promise.reject(new Error('env:PASSWORD: the variable is not set'));
      }
    }
    expect(await find(ldap([running.port], {}, new Missing()), 'user', adele)).toMatchObject({
      reason: 'credentials',
      detail: 'env:PASSWORD: the variable is not set',
    });
    expect(running.accepted).toBe(0);
  });
});
