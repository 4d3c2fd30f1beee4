import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

export interface FailureLimitOptions {
  /** How many failed authentications one peer may have in a window. */
  readonly failures: number;
  /** Milliseconds. */
  readonly window: number;
  /** Called when a peer exceeds the limit, once a window. */
  readonly onExceeded?: (peer: string) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

interface Failures {
  readonly since: number;
  count: number;
}

/** Peers beyond this are forgotten, the one heard of longest ago first. */
const rememberedPeers = 10_000;

/**
 * Counts failed authentications by the peer's address, in fixed windows that begin with the first failure. It never decides about a
 * request that can authenticate: behind a proxy that is not configured, Entra and an attacker have one address.
 */
export class FailureLimit {
  private readonly peers = new LRUCache<string, Failures>({ max: rememberedPeers });
  private readonly now: () => number;

  constructor(private readonly options: FailureLimitOptions) {
    this.now = options.now ?? Date.now;
  }

  /**
   * Counts one failure.
   * @returns how many milliseconds remain of the window where the peer is beyond the limit, otherwise 0
   */
  count(address: string): number {
    const { failures, window, onExceeded } = this.options;
    const now = this.now();
    const peer = peerOf(address);
    const known = this.peers.get(peer);
    // A clock that was set back ends a window as well.
    const current = known && now - known.since >= 0 && now - known.since < window ? known : { since: now, count: 0 };
    current.count += 1;
    this.peers.set(peer, current);
    if (current.count <= failures) return 0;
    if (current.count === failures + 1) onExceeded?.(peer);
    return current.since + window - now;
  }
}

/** One subscriber holds a whole /64 of IPv6 (RFC 6177), so that is one peer; an IPv4 address is one however it is written. */
function peerOf(address: string): string {
  if (!isIPv6(address)) return address;
  const parsed = ipaddr.process(address.replace(/%.*$/, ''));
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${ipaddr.fromByteArray([...parsed.toByteArray().slice(0, 8), 0, 0, 0, 0, 0, 0, 0, 0]).toString()}/64`;
}
