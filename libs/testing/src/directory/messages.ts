import { boolean, element, integer, octets, sequence, tags, BerError, BerReader } from './ber.js';
import type { Scope } from './directory.js';
import { readFilter, type Filter } from './filter.js';

/** The result codes of RFC 4511 §4.1.9 that this server answers. */
export const resultCodes = {
  success: 0,
  operationsError: 1,
  protocolError: 2,
  sizeLimitExceeded: 4,
  authMethodNotSupported: 7,
  strongerAuthRequired: 8,
  referral: 10,
  unavailableCriticalExtension: 12,
  noSuchObject: 32,
  invalidDNSyntax: 34,
  invalidCredentials: 49,
  unwillingToPerform: 53,
} as const;

export interface LdapResult {
  /** One of `resultCodes`, or whatever a test wants to be answered. */
  readonly code: number;
  readonly matched?: string;
  readonly diagnostic?: string;
  /** Where to ask instead. */
  readonly referral?: string;
}

export interface Control {
  readonly type: string;
  readonly critical: boolean;
  readonly value?: Uint8Array;
}

export interface SearchRequest {
  readonly kind: 'search';
  readonly base: string;
  readonly scope: Scope;
  /** 0: as many as the server allows. */
  readonly sizeLimit: number;
  readonly typesOnly: boolean;
  readonly filter: Filter;
  readonly attributes: readonly string[];
}

/** `password` is undefined where another method than the simple one is asked for. */
export interface BindRequest {
  readonly kind: 'bind';
  readonly version: number;
  readonly name: string;
  readonly password?: Uint8Array;
}

export type Operation =
  | BindRequest
  | SearchRequest
  | { readonly kind: 'unbind' }
  | { readonly kind: 'abandon'; readonly target: number }
  | { readonly kind: 'extended'; readonly name: string }
  /** An operation that this server knows by name only; `answer` is the tag of its response. */
  | { readonly kind: 'unsupported'; readonly answer: number };

export interface Request {
  readonly id: number;
  readonly operation: Operation;
  readonly controls: readonly Control[];
}

/** The tags of the responses. */
export const responseTags = { bind: 0x61, entry: 0x64, done: 0x65, reference: 0x73, extended: 0x78 } as const;

const scopes: readonly Scope[] = ['base', 'one', 'sub'];
/** modify, add, delete, modifyDN, compare: request tag → response tag. */
const unsupported: ReadonlyMap<number, number> = new Map([
  [0x66, 0x67],
  [0x68, 0x69],
  [0x4a, 0x6b],
  [0x6c, 0x6d],
  [0x6e, 0x6f],
]);

/** Reads one whole LDAPMessage. Throws a BerError for everything that RFC 4511 does not know. */
export function readRequest(message: Uint8Array): Request {
  const body = new BerReader(message).inside();
  const id = body.integer();
  const { tag, content } = body.element();
  const operation = readOperation(tag, content);
  const controls = body.next === 0xa0 ? readControls(body.inside(0xa0)) : [];
  return { id, operation, controls };
}

function readOperation(tag: number, content: Uint8Array): Operation {
  const reader = new BerReader(content);
  const answer = unsupported.get(tag);
  if (answer !== undefined) return { kind: 'unsupported', answer };
  switch (tag) {
    case 0x60:
      return readBind(reader);
    case 0x42:
      return { kind: 'unbind' };
    case 0x63:
      return readSearch(reader);
    case 0x50:
      return { kind: 'abandon', target: integerOf(content) };
    case 0x77:
      return { kind: 'extended', name: reader.text(0x80) };
    default:
      throw new BerError('an operation is not known');
  }
}

const integerOf = (content: Uint8Array): number => new BerReader(element(tags.integer, content)).integer();

function readBind(reader: BerReader): BindRequest {
  const version = reader.integer();
  const name = reader.text();
  const { tag, content } = reader.element();
  return { kind: 'bind', version, name, ...(tag === 0x80 && { password: content }) };
}

function readSearch(reader: BerReader): SearchRequest {
  const base = reader.text();
  const scope = scopes[reader.integer(tags.enumerated)];
  if (scope === undefined) throw new BerError('a search scope is not known');
  reader.integer(tags.enumerated);
  const sizeLimit = reader.integer();
  reader.integer();
  const typesOnly = reader.boolean();
  const filter = readFilter(reader);
  const list = reader.inside();
  const attributes: string[] = [];
  while (!list.done) attributes.push(list.text());
  return { kind: 'search', base, scope, sizeLimit, typesOnly, filter, attributes };
}

function readControls(reader: BerReader): readonly Control[] {
  const controls: Control[] = [];
  while (!reader.done) {
    const control = reader.inside();
    const type = control.text();
    const critical = control.next === tags.boolean ? control.boolean() : false;
    const value = control.next === tags.octets ? control.octets() : undefined;
    controls.push({ type, critical, ...(value && { value }) });
  }
  return controls;
}

/** `more` follows the result inside the response (the name of an extended response). */
export function resultMessage(
  id: number,
  tag: number,
  result: LdapResult,
  controls: readonly Control[] = [],
  ...more: Uint8Array[]
): Uint8Array {
  const { code, matched = '', diagnostic = '', referral } = result;
  const instead = referral === undefined ? [] : [element(0xa3, octets(referral))];
  const response = element(tag, integer(code, tags.enumerated), octets(matched), octets(diagnostic), ...instead, ...more);
  const list = controls.map(({ type, critical, value }) =>
    sequence(octets(type), ...(critical ? [boolean(true)] : []), ...(value ? [octets(value)] : [])),
  );
  return sequence(integer(id), response, ...(list.length > 0 ? [element(0xa0, ...list)] : []));
}

/** One found entry: its name, and for each attribute the name and the values. */
export function entryMessage(
  id: number,
  dn: string,
  attributes: readonly (readonly [string, readonly Uint8Array[]])[],
): Uint8Array {
  const list = attributes.map(([name, values]) =>
    sequence(octets(name), element(tags.set, ...values.map((value) => octets(value)))),
  );
  return sequence(integer(id), element(responseTags.entry, octets(dn), sequence(...list)));
}

/** Another server that has a part of the answer (RFC 4511 §4.5.3). */
export const referenceMessage = (id: number, url: string): Uint8Array =>
  sequence(integer(id), element(responseTags.reference, octets(url)));

/** The extended response: an optional name [10] and value [11] after the result (RFC 4511 §4.12). */
export function extendedMessage(id: number, result: LdapResult, name?: string, value?: string): Uint8Array {
  const more = [...(name === undefined ? [] : [octets(name, 0x8a)]), ...(value === undefined ? [] : [octets(value, 0x8b)])];
  return resultMessage(id, responseTags.extended, result, [], ...more);
}

/** Tells the client that the server ends the session (RFC 4511 §4.4.1). */
export const noticeOfDisconnection = (diagnostic: string): Uint8Array =>
  extendedMessage(0, { code: resultCodes.protocolError, diagnostic }, '1.3.6.1.4.1.1466.20036');
