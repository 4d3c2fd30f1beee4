import type net from 'node:net';
import {
  AbandonRequest,
  BindRequest,
  ExtendedRequest,
  PagedResultsControl,
  SearchRequest,
  UnbindRequest,
  type Filter,
} from 'ldapts';
import { onAbort } from '../on-abort.js';
import { UnderWay } from '../under-way.js';
import { everything } from './filters.js';
import { readMessage, type LdapMessage, type OperationResult } from './ldap-message.js';
import { MessageFrames } from './message-frames.js';
import type { DirectoryEntry } from './search-entry.js';

export type { DirectoryEntry, EntryAttribute } from './search-entry.js';

export interface Search {
  readonly base: string;
  readonly scope: 'base' | 'one' | 'sub';
  readonly filter: Filter;
  readonly attributes: readonly string[];
  readonly sizeLimit: number;
  /** Seconds that the server may work; a courtesy of the protocol, not a guarantee. */
  readonly timeLimit: number;
  /** A page of the answer (RFC 2696); `sizeLimit` is then the page's. */
  readonly after?: Uint8Array;
}

/**
 * The `timeLimit` of a search that may take this long, in milliseconds. A second more than that: Samba ends a search when its clock
 * begins the last second, so that one second, asked for just before a full one, is over after a few milliseconds.
 */
export function serverTimeLimit(milliseconds: number): number {
  return Math.ceil(milliseconds / 1_000) + 1;
}

export type Answer =
  /** `code` is the LDAP result code (RFC 4511 §4.1.9); `entries` holds no more than the search's size limit. */
  | {
      readonly kind: 'result';
      readonly code: number;
      readonly diagnostic: string;
      readonly entries: readonly DirectoryEntry[];
      readonly surplus: boolean;
      /** Other places where entries may be, as LDAP URLs (RFC 4511 §4.5.3). */
      readonly references: readonly string[];
      /** Where a page ends and another follows: what to ask that one with. */
      readonly cookie?: Uint8Array;
      /** Of an extended operation. */
      readonly value?: string;
    }
  | { readonly kind: 'aborted' }
  /** More bytes than any answer may have; the server has been told to stop. */
  | { readonly kind: 'tooMuch' }
  /** The connection ended before the answer; whether the server did the work is unknown. */
  | { readonly kind: 'closed'; readonly detail: string }
  | { readonly kind: 'malformed' };

interface Operation {
  readonly settle: (answer: Answer) => void;
  readonly sizeLimit: number;
  readonly entries: DirectoryEntry[];
  readonly references: string[];
  bytes: number;
  surplus: boolean;
}

/** What one operation may answer at most: the bytes of its messages, whatever is in them. */
const maximumAnswerBytes = 8 * 1024 * 1024;

/** Operations that ended at their own limit, one after the other, while the server sent nothing at all: then the connection may be dead. */
const silenceLimit = 2;

/** As many in a row without an answer to any, though something came: what answers so slowly may be of no use either. */
const unansweredLimit = 4;

/** What operations without an answer say of their connection; they may have been slow themselves. */
export type Suspicion = 'silent' | 'slow';

/** Every account may read the root of a directory (RFC 4512 §5.1), also nobody, and it costs nothing. */
const rootDse: Search = {
  base: '',
  scope: 'base',
  filter: everything,
  attributes: ['1.1'],
  sizeLimit: 1,
  timeLimit: serverTimeLimit(1_000),
};

/**
 * One connection, used until it ends and never opened again. Operations share it, each with its own message id and its own end;
 * ldapts only encodes: its client reconnects by itself, in clear text too, and ends a connection for one slow search.
 */
export class LdapConnection {
  private readonly frames = new MessageFrames();
  private readonly operations = new UnderWay<number, Operation>();
  private lastMessageId = 0;
  private receipts = 0;
  private silences = 0;
  private unanswered = 0;
  private ended: string | undefined;
  private retired: string | undefined;
  private suspect: (suspicion: Suspicion) => void = () => undefined;

  /** @param onEnd called once, when the connection can take no more operations */
  constructor(
    private readonly socket: net.Socket,
    private readonly onEnd: (detail: string) => void = () => undefined,
  ) {
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('error', (error) => this.end('code' in error ? String(error.code) : 'error'));
    socket.on('close', () => this.end('closed'));
    socket.on('end', () => this.end('closed by the server'));
    if (socket.destroyed) queueMicrotask(() => this.end('closed'));
    else socket.resume();
  }

  get isUsable(): boolean {
    return this.ended === undefined && this.retired === undefined;
  }

  /** Operations that have no answer yet. */
  get underWay(): number {
    return this.operations.size;
  }

  /** How often something came from the server. */
  get received(): number {
    return this.receipts;
  }

  /** Simple bind (RFC 4513 §5.1.3). Without a password it would be another one, which names an account and authenticates nobody (§5.1.2). */
  bind(dn: string, password: string, signal: AbortSignal): Promise<Answer> {
    if (dn === '' || password === '') throw new Error('a bind without a name or a password authenticates nobody');
    return this.send((messageId) => new BindRequest({ messageId, dn, password }), 0, signal);
  }

  /** SASL EXTERNAL (RFC 4513 §5.2.3): as whom the certificate of this connection names, and nobody else. */
  bindByCertificate(signal: AbortSignal): Promise<Answer> {
    return this.send((messageId) => new BindRequest({ messageId, mechanism: 'EXTERNAL' }), 0, signal);
  }

  /** “Who am I?” (RFC 4532). The answer's `value` is an authzId (RFC 4513 §5.2.1.8); empty, or without a name, where the server knows nobody. */
  whoAmI(signal: AbortSignal): Promise<Answer> {
    return this.send((messageId) => new ExtendedRequest({ messageId, oid: '1.3.6.1.4.1.4203.1.11.3' }), 0, signal);
  }

  search(search: Search, signal: AbortSignal): Promise<Answer> {
    const { base, attributes, after, ...rest } = search;
    const paging = after && {
      sizeLimit: 0,
      controls: [new PagedResultsControl({ value: { size: search.sizeLimit, cookie: Buffer.from(after) } })],
    };
    const request = (messageId: number): SearchRequest =>
      new SearchRequest({ messageId, baseDN: base, attributes: [...attributes], ...rest, ...paging });
    return this.send(request, search.sizeLimit, signal);
  }

  /** Asks for the root of the directory: whether there is somebody who answers. */
  searchRoot(signal: AbortSignal): Promise<Answer> {
    return this.search(rootDse, signal);
  }

  /** Tells of operations that ended at their limit, so many in a row that the connection may be to blame. */
  watch(suspect: (suspicion: Suspicion) => void): void {
    this.suspect = suspect;
  }

  /** Takes no more operations; ends when those under way have. */
  retire(why = 'closed by us'): void {
    this.retired = why;
    if (this.operations.size === 0) this.close();
  }

  close(why = 'closed by us'): void {
    if (this.ended === undefined && this.socket.writable)
      this.socket.write(new UnbindRequest({ messageId: this.nextMessageId() }).write());
    this.end(this.retired ?? why);
  }

  private send(request: (messageId: number) => { write(): Buffer }, sizeLimit: number, signal: AbortSignal): Promise<Answer> {
    if (signal.aborted) return Promise.resolve({ kind: 'aborted' });
    if (this.ended !== undefined) return Promise.resolve({ kind: 'closed', detail: this.ended });
    const messageId = this.nextMessageId();
    const bytes = request(messageId).write();
    const receiptsBefore = this.receipts;
    return new Promise((resolve) => {
      const letGo = onAbort(signal, () => {
        this.operations.get(messageId)?.settle({ kind: 'aborted' });
        this.stop(messageId);
        if (isTimeout(signal.reason)) this.countUnanswered(receiptsBefore);
      });
      const settle = (answer: Answer): void => {
        this.operations.delete(messageId);
        letGo();
        resolve(answer);
        if (this.retired !== undefined && this.operations.size === 0) this.close();
      };
      this.operations.set(messageId, { settle, sizeLimit, entries: [], references: [], bytes: 0, surplus: false });
      this.write(bytes);
    });
  }

  /**
   * What is sent in one turn of the event loop beside operations that are under way leaves together at its end: the searches of many
   * sign-ins are one write. Whoever is alone, as a bind is, does not wait.
   */
  private write(bytes: Buffer): void {
    if (this.socket.writableCorked === 0 && this.operations.size > 1) {
      this.socket.cork();
      setImmediate(() => this.socket.uncork());
    }
    this.socket.write(bytes);
  }

  /** Who was given up before its limit says nothing of the server. */
  private countUnanswered(receiptsBefore: number): void {
    this.unanswered++;
    if (this.receipts === receiptsBefore) this.silences++;
    if (this.silences >= silenceLimit) this.suspect('silent');
    else if (this.unanswered >= unansweredLimit) this.suspect('slow');
  }

  /** Tells the server to stop (RFC 4511 §4.11). */
  private stop(abandonId: number): void {
    if (this.ended === undefined) this.write(new AbandonRequest({ messageId: this.nextMessageId(), abandonId }).write());
  }

  private read(chunk: Buffer): void {
    this.receipts++;
    this.silences = 0;
    let frames: readonly Buffer[];
    try {
      frames = this.frames.push(chunk);
    } catch {
      return this.end('not LDAP');
    }
    for (const frame of frames) {
      const message = readMessage(frame);
      if (!message) return this.end('unreadable message');
      this.receive(message, frame.length);
    }
  }

  private receive({ messageId, response }: LdapMessage, bytes: number): void {
    // Message id 0 is the server's notice that it is about to disconnect (RFC 4511 §4.4.1).
    if (messageId === 0)
      return this.end(
        response.kind === 'result' && response.operation === 'extended'
          ? `notice of disconnection (${response.code})`
          : 'unsolicited message',
      );
    const operation = this.operations.get(messageId);
    if (!operation) return;
    operation.bytes += bytes;
    if (operation.bytes > maximumAnswerBytes) {
      operation.settle({ kind: 'tooMuch' });
      return this.stop(messageId);
    }
    switch (response.kind) {
      case 'entry':
        if (operation.entries.length >= operation.sizeLimit) operation.surplus = true;
        else operation.entries.push(response.entry);
        return;
      case 'reference':
        operation.references.push(...response.uris);
        return;
      case 'result':
        return this.receiveResult(operation, response);
      case 'malformed':
        operation.settle({ kind: 'malformed' });
        this.stop(messageId);
    }
  }

  private receiveResult({ settle, entries, surplus, references }: Operation, result: OperationResult): void {
    const { code, diagnostic, cookie, operation, value } = result;
    this.unanswered = 0;
    settle({
      kind: 'result',
      code,
      diagnostic,
      entries,
      surplus,
      references,
      ...(cookie && { cookie }),
      ...(operation === 'extended' && { value: value ?? '' }),
    });
  }

  private nextMessageId(): number {
    this.lastMessageId = this.lastMessageId >= 2 ** 31 - 1 ? 1 : this.lastMessageId + 1;
    return this.lastMessageId;
  }

  private end(detail: string): void {
    if (this.ended !== undefined) return;
    this.ended = detail;
    this.socket.destroySoon();
    setTimeout(() => this.socket.destroy(), 100).unref();
    for (const operation of this.operations.values()) operation.settle({ kind: 'closed', detail });
    this.onEnd(detail);
  }
}

/** Whether an operation was ended by its limit, as of `AbortSignal.timeout`, and not by whoever asked. */
function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}
