import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Where the platform below keeps its secrets: metadata services of clouds outside the link-local ranges. Azure, Alibaba, AWS, Google. */
const metadataServices = ['168.63.129.16/32', '100.100.100.200/32', 'fd00:ec2::/32', 'fd20:ce::254/128'].map(network);

/** RFC 4291 §2.4 and IANA: the only IPv6 addresses that are given to anybody for unicast. */
const globalUnicast = network('2000::/3');

const companyRanges: ReadonlySet<string> = new Set(['private', 'carrierGradeNat', 'uniqueLocal']);

/** The code of the error where a name or a literal stands for refused addresses only. */
export const addressRefused = 'ADDRESS_REFUSED';

export interface AddressRules {
  /** Whether addresses of the company's own network (RFC 1918, RFC 6598, RFC 4193) may be connected to. */
  readonly privateAddresses: boolean;
  /** Networks (CIDR) that may be connected to whatever they are. */
  readonly allowAddresses: readonly string[];
}

/**
 * Which addresses may be connected to, so that neither a name that its owner points elsewhere nor a mistake in a URL leads to this
 * machine, a metadata service or a network that was not meant. It judges addresses after names are resolved.
 */
export class AddressPolicy {
  private readonly listed: readonly Network[];

  /** @param resolve the system's resolver, unless a test has its own */
  constructor(
    private readonly rules: AddressRules,
    private readonly resolve: typeof systemLookup = systemLookup,
  ) {
    this.listed = rules.allowAddresses.map(network);
  }

  /** Whether this IP address may be connected to; an IPv4-mapped one (`::ffff:…`) counts as the IPv4 address that it is. */
  allows(address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    if (isIn(parsed, this.listed)) return true;
    if (isIn(parsed, metadataServices)) return false;
    const range = parsed.range();
    if (companyRanges.has(range)) return this.rules.privateAddresses;
    return range === 'unicast' && (parsed.kind() === 'ipv4' || isIn(parsed, [globalUnicast]));
  }

  /**
   * For the connection's `lookup`: gives the allowed addresses of a name only, so that what is judged is what is connected to. Node
   * does not call it for an address; that one is to be asked of `allows`.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      const allowed = addresses.filter(({ address }) => this.allows(address));
      const [first] = allowed as [LookupAddress?, ...LookupAddress[]];
      if (!first) return callback(refusal(), '');
      return options.all ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  };
}

export function refusal(): NodeJS.ErrnoException {
  return Object.assign(new Error('the address is not one that this source may connect to'), { code: addressRefused });
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

function network(text: string): Network {
  return ipaddr.parseCIDR(text);
}

function isIn(address: Address, networks: readonly Network[]): boolean {
  return networks.some((candidate) => address.kind() === candidate[0].kind() && address.match(candidate));
}
