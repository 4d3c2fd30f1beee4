import type { SrvRecord } from 'node:dns';
import type { ConnectorLog } from '../connector.js';
import type { Discovery, LdapServer } from './connection-config.js';
import type { NameService } from './name-service.js';

export type Listed = { readonly kind: 'listed' } | { readonly kind: 'failed'; readonly detail: string };

/** With these DNS has answered: there is no such record. */
const saysNone: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

/** DNS lists the ports of ldap:// only. */
const encryptedPorts = { ldap: 636, gc: 3269 };

/** An answer of DNS about one service. */
type Records = readonly SrvRecord[];

/**
 * The servers of a directory as DNS lists them (RFC 2782): those of the site first, then those of the domain. The list is asked for
 * again at an interval, because Node does not tell how long a record may be kept; the last one serves until there is another.
 */
export class ServerDiscovery {
  private servers: readonly LdapServer[] = [];
  private signature = '';
  private failing = false;
  private asking: Promise<Listed> | undefined;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly name: string,
    private readonly config: Discovery,
    private readonly names: Pick<NameService, 'service'>,
    private readonly log: ConnectorLog,
    private readonly onList: (servers: readonly LdapServer[]) => void,
  ) {
    this.timer = setInterval(() => void this.refresh(), config.refresh).unref();
  }

  /** At once where there is a list; DNS is waited for where there is none yet. */
  list(): Promise<Listed> {
    return this.servers.length > 0 ? Promise.resolve({ kind: 'listed' }) : this.refresh();
  }

  /** Asks DNS. One question at a time, whoever asks. Never rejects: the timer would end the process. */
  refresh(): Promise<Listed> {
    this.asking ??= this.ask()
      .catch((error: unknown): Listed => this.known([codeOf(error)]))
      .finally(() => (this.asking = undefined));
    return this.asking;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async ask(): Promise<Listed> {
    const services = servicesOf(this.config);
    const answers = await Promise.allSettled(services.map((service) => this.names.service(service)));
    const failures = answers.flatMap((answer, index) =>
      answer.status === 'rejected' ? [{ service: services[index], code: codeOf(answer.reason) }] : [],
    );
    const problems = failures.map(({ service, code }) => `${service}: ${code}`);
    const records = answers.map((answer) =>
      answer.status === 'fulfilled' ? answer.value.filter((each) => this.mayBe(each)) : [],
    );
    if (records.every((each) => each.length === 0)) problems.push(`no server of ${this.targets.join(', ')} is listed`);
    // A list of which a part is missing because DNS failed is no reason to let go of servers that are known.
    else if (this.servers.length === 0 || failures.every(({ code }) => saysNone.has(code))) this.adopt(records);
    return this.known(problems);
  }

  /** Whether there is a list, after these problems or none. */
  private known(problems: readonly string[]): Listed {
    this.tell(problems);
    return this.servers.length > 0 ? { kind: 'listed' } : { kind: 'failed', detail: problems.join('; ') };
  }

  private get targets(): readonly string[] {
    return this.config.targets ?? [this.config.domain];
  }

  /** The order is drawn anew only when the records are others: otherwise every answer would move the connections. */
  private adopt(records: readonly Records[]): void {
    const lines = ({ name, port, priority, weight }: SrvRecord): string => [name.toLowerCase(), port, priority, weight].join(' ');
    const signature = JSON.stringify(records.map((each) => each.map(lines).toSorted()));
    if (signature === this.signature) return;
    this.signature = signature;
    const known = new Map(this.servers.map((server) => [server.url, server]));
    const ordered = records.flatMap((each) => byPriorityAndWeight(each)).map((record) => this.server(record));
    this.servers = [...new Map(ordered.map((server) => [server.url, known.get(server.url) ?? server])).values()];
    this.onList(this.servers);
  }

  /** Who can answer in the place of DNS could name a server of their own, with a certificate that is good for its name. */
  private mayBe({ name }: SrvRecord): boolean {
    const target = name.toLowerCase();
    return this.targets.some((domain) => target === domain || target.endsWith(`.${domain}`));
  }

  private server({ name, port: listed }: SrvRecord): LdapServer {
    const { scheme, service, port = scheme === 'ldaps' ? encryptedPorts[service] : listed, security } = this.config;
    const host = name.toLowerCase();
    return { url: `${scheme}://${host}:${port}`, host, port, security };
  }

  private tell(failures: readonly string[]): void {
    if (failures.length > 0 && !this.failing)
      this.log.warn(
        { source: this.name, detail: failures.join('; '), servers: this.servers.length },
        'DNS does not list the directory’s servers; those known last are used',
      );
    this.failing = failures.length > 0;
  }
}

/**
 * The services whose records list the servers, the preferred one first ([MS-ADTS] §6.3.2.3). Every domain controller is listed at
 * `_ldap`, only those that are global catalogs at `_gc`.
 */
export function servicesOf({ domain, site, service }: Pick<Discovery, 'domain' | 'site' | 'service'>): readonly string[] {
  const nearby = { ldap: `_ldap._tcp.${site}._sites.dc._msdcs.${domain}`, gc: `_gc._tcp.${site}._sites.${domain}` };
  return [...(site === undefined ? [] : [nearby[service]]), `_${service}._tcp.${domain}`];
}

/** RFC 2782: the lowest priority first; within one, drawn by weight. */
export function byPriorityAndWeight(records: Records, random: () => number = Math.random): Records {
  const priorities = [...new Set(records.map(({ priority }) => priority))].toSorted((left, right) => left - right);
  return priorities.flatMap((priority) => {
    const remaining = records
      .filter((record) => record.priority === priority)
      .toSorted((left, right) => left.weight - right.weight);
    const drawn: SrvRecord[] = [];
    while (remaining.length > 0) {
      const total = remaining.reduce((sum, { weight }) => sum + weight, 0);
      let left = Math.floor(random() * (total + 1));
      const index = remaining.findIndex(({ weight }) => (left -= weight) <= 0);
      drawn.push(...remaining.splice(index, 1));
    }
    return drawn;
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'no answer';
}
