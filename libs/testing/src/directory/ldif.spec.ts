import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LdifError, parseLdif, printLdif } from './ldif.js';

const texts = (ldif: string): unknown =>
  parseLdif(ldif).map(({ dn, attributes }) => ({
    dn,
    ...Object.fromEntries(
      attributes.map(({ name, values }) => [name, values.map((value) => Buffer.from(value).toString('utf8'))]),
    ),
  }));

const comparable = (records: ReturnType<typeof parseLdif>): unknown =>
  records.map(({ dn, attributes }) => [dn, attributes.map((one) => [one.name, one.values.map((value) => [...value])])]);

describe('LDIF', () => {
  it('reads records as RFC 2849 writes them', () => {
    const ldif = [
      'version: 1',
      '# a comment',
      '  that goes on',
      'dn: cn=Barbara Jensen, ou=Product Development, dc=airius, dc=com',
      'objectclass: top',
      'objectClass: person',
      'cn:Barbara Jensen',
      'description:Babs is a big sailing fan, and travels exten',
      ' sively in search of perfect sailing conditions.',
      'title:    Product Manager',
      'empty:',
      'cn;lang-en: Barbara',
      '',
      '',
      'dn:: b3U95Za25qWt6YOoLG89QWlyaXVz',
      'ou:: 5Za25qWt',
      ' 6YOo',
      '# between',
      'description: a: b',
    ];
    const expected = [
      {
        dn: 'cn=Barbara Jensen, ou=Product Development, dc=airius, dc=com',
        objectclass: ['top', 'person'],
        cn: ['Barbara Jensen'],
        description: ['Babs is a big sailing fan, and travels extensively in search of perfect sailing conditions.'],
        title: ['Product Manager'],
        empty: [''],
        'cn;lang-en': ['Barbara'],
      },
      { dn: 'ou=営業部,o=Airius', ou: ['営業部'], description: ['a: b'] },
    ];
    expect(texts(ldif.join('\n'))).toEqual(expected);
    expect(texts(ldif.join('\r\n'))).toEqual(expected);
  });

  it('reads back what it prints', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/).filter((text) => !['dn', 'changetype', 'control'].includes(text));
    const attribute = fc.record({ name, values: fc.array(fc.uint8Array(), { minLength: 1 }) });
    const record = fc.record({
      dn: fc.string({ unit: 'grapheme', minLength: 1 }),
      attributes: fc.uniqueArray(attribute, { selector: (one) => one.name }),
    });
    fc.assert(
      fc.property(fc.array(record), (records) => {
        expect(comparable(parseLdif(printLdif(records)))).toEqual(comparable(records.map((one) => ({ ...one, line: 0 }))));
      }),
    );
  });

  it.each([
    ['cn: no dn', 1, 'begin with dn'],
    ['dn: cn=a\nsecret value', 2, 'attribute: value'],
    ['dn: cn=a\ncn:: secret!', 2, 'base64'],
    ['dn: cn=a\njpegPhoto:< file:///secret', 2, 'URL'],
    ['dn: cn=a\nchangetype: delete', 2, 'change records'],
    ['dn: cn=a\ndn: cn=secret', 2, 'blank line'],
    ['dn: cn=a\n\n secret', 3, 'no line to continue'],
  ])('refuses %j with the line and without the value', (ldif, line, reason) => {
    const refusal = ((): unknown => {
      try {
        return parseLdif(ldif);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(LdifError);
    expect(refusal).toMatchObject({ code: 'ldif.malformed', line });
    expect(String(refusal)).toContain(reason);
    expect(String(refusal)).not.toContain('secret');
  });
});
