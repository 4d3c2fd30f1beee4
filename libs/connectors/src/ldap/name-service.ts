import { lookup as lookUpBySystem, Resolver } from 'node:dns/promises';
import type { LookupAddress, LookupOptions, SrvRecord } from 'node:dns';
import net, { type LookupFunction } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One answer of a DNS server takes no longer, and it is asked twice. */
const answerLimit = 1_000;

/**
 * Names to addresses and services to servers. A host whose name cannot be resolved any more keeps the addresses that it had last; who is
 * there is not a matter of DNS, but of the server's certificate.
 */
export class NameService {
  private readonly known = new Map<string, readonly LookupAddress[]>();
  /** DNS was waited for in vain, and has not answered since: it is not waited for again. */
  private silent = false;
  private readonly asking = new Map<string, Promise<readonly LookupAddress[]>>();

  /**
   * @param servers the DNS servers to ask; without them the system's, and for addresses whatever else the system uses
   * @param patience milliseconds that a DNS server is waited for where an address is known from before
   */
  constructor(
    private readonly servers: readonly string[] | undefined,
    private readonly patience: number,
  ) {}

  /** For `net.connect` and `tls.connect`. */
  readonly lookup: LookupFunction = (host, options, callback) => void this.answer(host, options, callback);

  /** Rejects with the code of DNS where there is no answer, or an answer without a record. */
  async service(name: string): Promise<readonly SrvRecord[]> {
    return this.resolver().resolveSrv(name);
  }

  /** Asks for the addresses of hosts that may be needed when DNS does not answer. */
  async remember(hosts: readonly string[]): Promise<void> {
    for (const host of hosts) if (net.isIP(host) === 0) await this.ask(host).catch(() => undefined);
  }

  private async answer(host: string, { family, all }: LookupOptions, callback: Parameters<LookupFunction>[2]): Promise<void> {
    let fitting: readonly LookupAddress[];
    try {
      const addresses = await this.addresses(host);
      fitting = addresses.filter((address) => (family !== 4 && family !== 6) || address.family === family);
      if (fitting.length === 0) throw Object.assign(new Error(`no address of ${host}`), { code: 'ENOTFOUND' });
    } catch (error) {
      callback(error as NodeJS.ErrnoException, '', 0);
      return;
    }
    if (all) callback(null, [...fitting]);
    else callback(null, fitting[0]!.address, fitting[0]!.family);
  }

  private async addresses(host: string): Promise<readonly LookupAddress[]> {
    const known = this.known.get(host);
    const asked = this.ask(host);
    if (!known) return asked;
    if (this.silent) return known;
    const answered = new AbortController();
    const patience = sleep(this.patience, 'silent' as const, { ref: false, signal: answered.signal }).catch(
      () => 'silent' as const,
    );
    const first = await Promise.race([asked.catch(() => known), patience]);
    answered.abort();
    if (first !== 'silent') return first;
    this.silent = true;
    return known;
  }

  /** One question for each host at a time: a system that waits for its DNS server has few threads to do so. */
  private ask(host: string): Promise<readonly LookupAddress[]> {
    const present = this.asking.get(host);
    if (present) return present;
    const asked = this.resolve(host)
      .then((addresses) => {
        this.known.set(host, addresses);
        this.silent = false;
        return addresses;
      })
      .finally(() => this.asking.delete(host));
    this.asking.set(host, asked);
    asked.catch(() => undefined);
    return asked;
  }

  private async resolve(host: string): Promise<readonly LookupAddress[]> {
    if (this.servers === undefined) return lookUpBySystem(host, { all: true });
    const resolver = this.resolver();
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const found = [v4, v6].flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    if (found.length === 0 && v4.status === 'rejected') throw v4.reason;
    return found.map((address) => ({ address, family: net.isIP(address) }));
  }

  /** A new one each time, so that a change of the system's DNS servers is noticed. */
  private resolver(): Resolver {
    const resolver = new Resolver({ timeout: answerLimit, tries: 2 });
    if (this.servers) resolver.setServers(this.servers);
    return resolver;
  }
}
