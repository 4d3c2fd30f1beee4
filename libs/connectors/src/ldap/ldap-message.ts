import { Elements, tags } from './ber-elements.js';
import { readSearchEntry, type DirectoryEntry } from './search-entry.js';

/** How an operation ended (LDAPResult, RFC 4511 §4.1.9). */
export interface OperationResult {
  readonly kind: 'result';
  readonly operation: 'bind' | 'search' | 'extended';
  readonly code: number;
  readonly diagnostic: string;
  /** Of an extended operation. */
  readonly value: string | undefined;
  /** Of a page, where another follows (RFC 2696 §3). */
  readonly cookie: Uint8Array | undefined;
}

export type Response =
  | { readonly kind: 'entry'; readonly entry: DirectoryEntry }
  | { readonly kind: 'reference'; readonly uris: readonly string[] }
  | OperationResult
  /** Another operation, or one that is not well formed. */
  | { readonly kind: 'malformed' };

export interface LdapMessage {
  readonly messageId: number;
  readonly response: Response;
}

const operations = { 0x61: 'bind', 0x65: 'search', 0x78: 'extended' } as const;
const searchEntry = 0x64;
const searchReference = 0x73;
const extendedValue = 0x8b;

const malformed: Response = { kind: 'malformed' };

/**
 * Reads a response of a server (RFC 4511 §4.2). Every length must lie inside what it is a part of, and a result must have a code: ldapts,
 * which does not insist, takes a result without one for success and does not return from a message whose inner lengths are wrong.
 * Undefined where it is not known to which operation the message belongs: what follows cannot be trusted then.
 */
export function readMessage(message: Buffer): LdapMessage | undefined {
  const elements = new Elements(message);
  const end = elements.enter(tags.sequence, message.length);
  if (end !== message.length) return undefined;
  const messageId = elements.number(end);
  if (messageId === undefined || messageId < 0) return undefined;
  const operation = elements.next(end);
  const operationEnd = elements.enter(operation, end);
  if (operationEnd < 0) return undefined;
  const response = readOperation(operation, elements, operationEnd);
  if (operationEnd === end) return { messageId, response };
  elements.offset = operationEnd;
  const cookie = readCookie(elements, end);
  if (cookie === 'malformed') return { messageId, response: malformed };
  return { messageId, response: response.kind === 'result' && cookie.length > 0 ? { ...response, cookie } : response };
}

function readOperation(operation: number, elements: Elements, end: number): Response {
  if (operation === searchEntry) {
    const entry = readSearchEntry(elements, end);
    return entry ? { kind: 'entry', entry } : malformed;
  }
  if (operation === searchReference) return readReference(elements, end);
  if (operation in operations) return readResult(operations[operation as keyof typeof operations], elements, end);
  return malformed;
}

function readReference(elements: Elements, end: number): Response {
  const uris: string[] = [];
  while (elements.offset < end) {
    const uri = elements.text(end);
    if (uri === undefined) return malformed;
    uris.push(uri);
  }
  return { kind: 'reference', uris };
}

/** Of what follows the three parts of every result only the value counts; unknown parts must be passed over (RFC 4511 §4). */
function readResult(operation: OperationResult['operation'], elements: Elements, end: number): Response {
  const code = elements.number(end, tags.enumerated);
  const matched = elements.octets(end);
  const diagnostic = elements.text(end);
  if (code === undefined || code < 0 || matched === undefined || diagnostic === undefined) return malformed;
  let value: string | undefined;
  while (elements.offset < end) {
    const isValue = operation === 'extended' && elements.next(end) === extendedValue;
    if (isValue) value = elements.text(end, extendedValue);
    if (isValue ? value === undefined : !elements.skip(end)) return malformed;
  }
  return { kind: 'result', operation, code, diagnostic, value, cookie: undefined };
}

const pagedResults = '1.2.840.113556.1.4.319';
const noCookie: Uint8Array = new Uint8Array();

/** The cookie among the controls (RFC 4511 §4.1.11); empty where there is none, or the last page. */
function readCookie(elements: Elements, end: number): Uint8Array | 'malformed' {
  let cookie = noCookie;
  while (elements.offset < end) {
    if (elements.next(end) !== tags.controls) {
      if (!elements.skip(end)) return 'malformed';
      continue;
    }
    const controlsEnd = elements.enter(tags.controls, end);
    while (elements.offset < controlsEnd) {
      const controlEnd = elements.enter(tags.sequence, controlsEnd);
      const type = controlEnd < 0 ? undefined : elements.text(controlEnd);
      if (type === undefined) return 'malformed';
      if (type === pagedResults) {
        const found = readPage(elements, controlEnd);
        if (!found) return 'malformed';
        cookie = found;
      }
      elements.offset = controlEnd;
    }
    if (controlsEnd < 0) return 'malformed';
  }
  return cookie;
}

function readPage(elements: Elements, end: number): Uint8Array | undefined {
  if (elements.next(end) === tags.boolean) elements.skip(end);
  const valueEnd = elements.enter(tags.octetString, end);
  const pageEnd = elements.enter(tags.sequence, valueEnd);
  return elements.number(pageEnd) === undefined ? undefined : elements.octets(pageEnd);
}
