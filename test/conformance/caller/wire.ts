import { connect } from 'node:net';

export const route = '/api/onTokenIssuanceStart';

/** A request to the event endpoint whose connection ends with its answer; what is told of the body's length is up to the caller. */
export const message = (lines: readonly string[], content: string, start = `POST ${route} HTTP/1.1`): string =>
  `${[start, 'Host: claims.example', 'Content-Type: application/json', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n${content}`;

export const length = (content: string): string => `Content-Length: ${Buffer.byteLength(content)}`;

/** One chunk (RFC 9112 §7.1), and the end. */
export const chunked = (content: string): string => `${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n`;

export interface WireAnswer {
  readonly status: number;
  /** By names in lower case; of a header that is repeated the last. */
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

/** Sends these bytes (latin1 where they are text) and gives all that comes until the service closes the connection. */
export async function converse(url: string, bytes: string | Buffer): Promise<readonly WireAnswer[]> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  const seen: Buffer[] = [];
  socket.on('data', (part: Buffer) => seen.push(part));
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  return answersOf(Buffer.concat(seen).toString('latin1'));
}

/** Reads answers one after another (RFC 9112 §6): each of ours but the last has a Content-Length. Interim ones are left out. */
function answersOf(text: string): readonly WireAnswer[] {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return [];
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = new Headers(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = Number(first.split(' ')[1]);
  const from = end + 4;
  const to = status < 200 ? from : from + Number(headers.get('content-length') ?? text.length - from);
  const body = text.slice(from, to);
  const json: unknown = body !== '' && /json/.test(headers.get('content-type') ?? '') ? JSON.parse(body) : undefined;
  return [...(status < 200 ? [] : [{ status, headers, text: body, json }]), ...answersOf(text.slice(to))];
}

/** The one answer to these bytes. */
export async function only(url: string, bytes: string | Buffer): Promise<WireAnswer> {
  const answers = await converse(url, bytes);
  if (answers.length !== 1) throw new Error(`${answers.length} answers: ${answers.map(({ status }) => status).join(', ')}`);
  return answers[0]!;
}
