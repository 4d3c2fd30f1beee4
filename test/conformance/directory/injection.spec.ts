import { LdapConnector } from '#connectors';
import { Secrets, type Outcome, type Source } from '#claims';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { hostileValues } from '../injection/corpus.js';
import { bindRequest, message, RawConnection, searchRequest } from './raw.js';
import { account, base, describeServers, directoryOf, entry, startServer, type Server, type ServerName } from './servers.js';

const people = `ou=People,${base}`;

/** More that means something in names (RFC 4514) and filters (RFC 4515). */
const values = [
  ...hostileValues,
  'a,b+c=d;e',
  '#0401',
  '"quoted"',
  '<SID=S-1-5-32-544>',
  '<GUID=00112233-4455-6677-8899-aabbccddeeff>',
  'x,ou=People',
  'x+sn=y',
  'a\\,b',
  'a\\',
  '|',
  '!',
  '&(cn=*)',
  'adele)(!(cn=x',
  'é'.normalize('NFD'),
];

/** What two people could both be called though it is not the same text: prepared away (RFC 4518), or no text at all. */
const isAmbiguousText = (value: string): boolean =>
  !value.isWellFormed() ||
  /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u1806\ufffc]| {2}/u.test(value) ||
  value.normalize('NFKC') !== value.normalize('NFC') ||
  ![value.normalize('NFC'), value.normalize('NFD')].includes(value) ||
  value.trim() !== value;

/** A domain takes no longer common name. */
const isStored = (value: string): boolean => value.length <= 64 && !isAmbiguousText(value);

const escaped = (value: string): string =>
  Buffer.from(value).reduce((text, byte) => `${text}\\${byte.toString(16).padStart(2, '0')}`, '');

const ldif = directoryOf(
  entry(people, { objectClass: 'organizationalUnit', ou: 'People' }),
  ...values.flatMap((value, index) =>
    isStored(value)
      ? [
          entry(`cn=${escaped(value)},${people}`, {
            objectClass: 'user',
            cn: value,
            sn: 'x',
            displayName: value,
            sAMAccountName: `h${index}`,
            employeeID: String(index),
          }),
        ]
      : [],
  ),
);

class Password extends Secrets {
  override read(): Promise<string> {
    return Promise.resolve(account.password);
  }
}

function sourceOf({ url }: Server): Source {
  const connector = new LdapConnector();
  const config = connector.config.parse({
    type: 'ldap',
    tenants: ['contoso'],
    urls: [url],
    allowClearText: true,
    bind: { dn: account.dn, password: 'env:PASSWORD' },
    limits: { operation: '20s' },
    lookups: {
      'by-filter': { base: people, parameters: ['value'], filter: '(&(objectClass=user)(displayName={value}))' },
      'by-name': { base: `cn={value},${people}`, scope: 'base', parameters: ['value'], filter: '(objectClass=user)' },
    },
  });
  const log = { warn: () => undefined, error: () => undefined };
  return connector.create('corp-ad', config, { secrets: new Password(), log });
}

/** Samba reads a text up to its first NUL and finds Adele: why the connector lets no NUL through. */
const endsAtNul: ReadonlySet<ServerName> = new Set(['Samba']);

describeServers('injection', ldif, (name, server) => {
  let source: Source;

  beforeAll(() => {
    source = sourceOf(server());
  });

  afterAll(() => source?.close());

  const employee = async (lookup: string, value: string): Promise<unknown> => {
    const query = { lookup, parameters: new Map([['value', value]]), projection: ['employeeID'] };
    const outcome: Outcome = await source.fetch(query, new AbortController().signal);
    return outcome.kind === 'found' ? outcome.attributes.get('employeeID') : outcome;
  };

  describe.each(['by-filter', 'by-name'])('%s', (lookup) => {
    it.each(values.map((value, index) => [JSON.stringify(value).slice(0, 40), value, index] as const))(
      'the value %s finds its own entry or nobody',
      async (_title, value, index) => {
        const nobody = { kind: 'notFound', reason: 'noEntry' };
        expect(await employee(lookup, value)).toEqual(isStored(value) ? [String(index)] : nobody);
      },
    );
  });

  it('a NUL, sent as it is, is no end of the text', async () => {
    await using raw = await RawConnection.open(server());
    const cut = searchRequest(people, 'displayName', 'adele.vance@corp.example\0');
    raw.send(message(1, bindRequest(account.dn, account.password)), message(2, cut));
    await expect.poll(() => raw.codeOf(2), { timeout: 10_000 }).toBe(0);
    expect(raw.received.filter(({ tag }) => tag === 0x64)).toHaveLength(endsAtNul.has(name) ? 1 : 0);
  });

  it.each([
    ['no UTF-8', Buffer.from([0x61, 0xff, 0xfe])],
    ['an overlong form', Buffer.from([0xc0, 0xaa])],
    ['half a surrogate pair', Buffer.from([0xed, 0xa0, 0x80])],
    ['60,000 bytes', Buffer.alloc(60_000, 'x')],
  ])('%s, sent as it is, finds nobody and breaks nothing', async (_title, bytes) => {
    await using raw = await RawConnection.open(server());
    raw.send(message(1, bindRequest(account.dn, account.password)), message(2, searchRequest(people, 'displayName', bytes)));
    await expect.poll(() => raw.codeOf(2), { timeout: 10_000 }).toBeTypeOf('number');
    raw.send(message(3, searchRequest(people, 'displayName', 'adele.vance@corp.example')));
    await expect.poll(() => raw.codeOf(3), { timeout: 10_000 }).toBe(0);
    expect(raw.received.filter(({ tag }) => tag === 0x64).map(({ id }) => id)).toEqual([3]);
  });
});

describe('a directory to which accents do not matter, as to Active Directory', () => {
  it('finds nobody by a look-alike, and everyone by what they are called', async () => {
    const named = (index: number, displayName: string): string =>
      entry(`cn=a${index},${people}`, { objectClass: 'user', cn: `a${index}`, displayName, employeeID: String(index) });
    const server = await startServer(
      'in process',
      directoryOf(entry(people, { objectClass: 'organizationalUnit' }), named(1, 'Adele.Vance'), named(2, 'Zoë')),
      { ignoreAccents: true },
    );
    onTestFinished(() => server.stop());
    const source = sourceOf(server);
    onTestFinished(() => source.close());
    const ask = async (value: string): Promise<unknown> => {
      const query = { lookup: 'by-filter', parameters: new Map([['value', value]]), projection: ['employeeID'] };
      const outcome = await source.fetch(query, new AbortController().signal);
      return outcome.kind === 'found' ? outcome.attributes.get('employeeID') : outcome.kind;
    };
    expect(await ask('adele.VANCE')).toEqual(['1']);
    expect(await ask('zoë')).toEqual(['2']);
    expect(await ask('zoe\u0308')).toEqual(['2']);
    expect(await ask('adéle.vance')).toBe('notFound');
    expect(await ask('zoe')).toBe('notFound');
  });
});
