import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';

export interface DnsService {
  readonly target: string;
  readonly port: number;
  readonly priority?: number;
  readonly weight?: number;
}

/** What a DNS server knows, by names in lower case without the dot at the end. */
export interface DnsZone {
  /** IPv4 addresses. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  readonly services?: Readonly<Record<string, readonly DnsService[]>>;
}

export interface RunningDnsServer {
  /** `address:port`, as a resolver's `setServers` takes it. */
  readonly address: string;
  /** The questions so far: `SRV _ldap._tcp.corp.example`. */
  readonly questions: readonly string[];
  /** From now on it knows this; works normally again. */
  serve(zone: DnsZone): void;
  /** From now on it says that it failed (SERVFAIL), or nothing at all. */
  fail(how: 'refuses' | 'silent'): void;
  stop(): Promise<void>;
}

const types: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA', 33: 'SRV' };

/** A DNS server on 127.0.0.1 (RFC 1035, over UDP) that knows what a test says. Its records may be kept for a second. */
export async function startDnsServer(known: DnsZone): Promise<RunningDnsServer> {
  let zone = known;
  let failing: 'refuses' | 'silent' | undefined;
  const questions: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query: Buffer, { address, port }: RemoteInfo) => {
    const { name, type, end } = question(query);
    questions.push(`${types[type] ?? type} ${name}`);
    if (failing !== 'silent')
      socket.send(answer(query.subarray(0, end), failing ? undefined : records(zone, name, type)), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    serve(next) {
      zone = next;
      failing = undefined;
    },
    fail(how) {
      failing = how;
    },
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function question(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** The data of the records; undefined where the name does not exist. */
function records({ addresses = {}, services = {} }: DnsZone, name: string, type: number): readonly Buffer[] | 'noName' {
  if (!Object.hasOwn(addresses, name) && !Object.hasOwn(services, name)) return 'noName';
  if (type === 1) return (addresses[name] ?? []).map((address) => Buffer.from(address.split('.').map(Number)));
  if (type !== 33) return [];
  return (services[name] ?? []).map(({ target, port, priority = 0, weight = 0 }) => {
    const numbers = Buffer.alloc(6);
    numbers.writeUInt16BE(priority, 0);
    numbers.writeUInt16BE(weight, 2);
    numbers.writeUInt16BE(port, 4);
    return Buffer.concat([
      numbers,
      ...target.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
      Buffer.of(0),
    ]);
  });
}

/** Header and question of the query with the records behind them; without records the server failed. */
function answer(query: Buffer, found: readonly Buffer[] | 'noName' | undefined): Buffer {
  const head = Buffer.from(query);
  const data = found === undefined || found === 'noName' ? [] : found;
  // A response of an authority; SERVFAIL is 2, NXDOMAIN 3.
  head.writeUInt16BE(0x8400 | (found === undefined ? 2 : found === 'noName' ? 3 : 0), 2);
  head.writeUInt16BE(data.length, 6);
  head.fill(0, 8, 12);
  const type = query.subarray(-4, -2);
  const resources = data.flatMap((each) => [
    Buffer.from([0xc0, 12, ...type, 0, 1, 0, 0, 0, 1, each.length >>> 8, each.length & 255]),
    each,
  ]);
  return Buffer.concat([head, ...resources]);
}
