import type { lookup, LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { AddressPolicy } from './address-policy.js';

const policy = (privateAddresses = false, allowAddresses: string[] = []): AddressPolicy =>
  new AddressPolicy({ privateAddresses, allowAddresses });

const ownMachineAndPlatform = [
  ['this machine', '127.0.0.1'],
  ['this machine', '127.255.255.254'],
  ['this machine', '::1'],
  ['this machine, mapped', '::ffff:127.0.0.1'],
  ['this machine, mapped in hex', '::ffff:7f00:1'],
  ['link-local: metadata of AWS, Azure, Google', '169.254.169.254'],
  ['the same, mapped', '::ffff:169.254.169.254'],
  ['link-local', 'fe80::1'],
  ['link-local with a zone', 'fe80::1%eth0'],
  ['metadata of AWS', 'fd00:ec2::254'],
  ['metadata of Google', 'fd20:ce::254'],
  ['Azure’s platform', '168.63.129.16'],
  ['metadata of Alibaba', '100.100.100.200'],
  ['metadata of Oracle', '192.0.0.192'],
  ['any address of this machine', '0.0.0.0'],
  ['any address of this machine', '::'],
  ['multicast', '224.0.0.1'],
  ['multicast', 'ff02::1'],
  ['broadcast', '255.255.255.255'],
  ['IPv4 within IPv6 (NAT64)', '64:ff9b::7f00:1'],
  ['IPv4 within IPv6 (6to4)', '2002:7f00:1::'],
  ['IPv4 within IPv6 (Teredo)', '2001::1'],
  ['IPv4 within IPv6 (compatible)', '::127.0.0.1'],
  ['site-local, given up', 'fec0::1'],
  ['nothing that is an address', 'hr.corp.example'],
] as const;
const company = ['10.1.2.3', '172.16.0.1', '192.168.1.1', '100.64.0.1', 'fd12:3456::1', '::ffff:10.1.2.3'];
const everybody = ['93.184.216.34', '2606:2800:220:1::1', '::ffff:93.184.216.34'];

describe('AddressPolicy', () => {
  it.each(ownMachineAndPlatform)('never allows %s: %s', (_, address) => {
    expect([policy().allows(address), policy(true).allows(address)]).toEqual([false, false]);
  });

  it.each(company)('allows the company’s %s only where that is said', (address) => {
    expect([policy().allows(address), policy(true).allows(address)]).toEqual([false, true]);
  });

  it.each(everybody)('allows the public %s', (address) => {
    expect([policy().allows(address), policy(true).allows(address)]).toEqual([true, true]);
  });

  it('allows what is listed, and no more', () => {
    const listed = policy(false, ['127.0.0.1/32', 'fe80::/10']);
    const judged = ['127.0.0.1', '::ffff:127.0.0.1', 'fe80::1', '127.0.0.2', '::1', '10.0.0.1'].map((each) =>
      listed.allows(each),
    );
    expect(judged).toEqual([true, true, true, false, false, false]);
  });
});

describe('lookup', () => {
  type Found = [error: string | undefined, address: string | LookupAddress[] | undefined];

  function resolve(answers: readonly string[], all: boolean): Promise<Found> {
    const resolver = ((_name: string, _options: object, callback: (error: null, found: LookupAddress[]) => void) =>
      callback(
        null,
        answers.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )) as unknown as typeof lookup;
    const { lookup: judged } = new AddressPolicy({ privateAddresses: false, allowAddresses: [] }, resolver);
    return new Promise((settle) =>
      judged('hr.corp.example', { all }, (error, address) => settle(error ? [error.code, undefined] : [undefined, address])),
    );
  }

  it('gives the allowed ones of a name’s addresses only', async () => {
    const addresses = ['127.0.0.1', '93.184.216.34', '169.254.169.254', '2606:2800::1'];
    expect(await resolve(addresses, true)).toEqual([
      undefined,
      [
        { address: '93.184.216.34', family: 4 },
        { address: '2606:2800::1', family: 6 },
      ],
    ]);
    expect(await resolve(addresses, false)).toEqual([undefined, '93.184.216.34']);
  });

  it.each([true, false])('fails where none is allowed (all: %s)', async (all) => {
    expect(await resolve(['10.0.0.1', '::1'], all)).toEqual(['ADDRESS_REFUSED', undefined]);
  });
});
