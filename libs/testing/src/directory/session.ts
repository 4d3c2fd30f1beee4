import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import { BerError, messageLength } from './ber.js';
import type { Directory } from './directory.js';
import type { Entry } from './entry.js';
import type { Fault, FaultHook } from './fault.js';
import type { BindRequest, LdapResult, Operation, Request, SearchRequest } from './messages.js';
import {
  entryMessage,
  extendedMessage,
  noticeOfDisconnection,
  readRequest,
  referenceMessage,
  responseTags,
  resultCodes,
  resultMessage,
} from './messages.js';
import { pageControl, pagedResults, readPage } from './paging.js';
import type { References } from './references.js';
import { rootDse, startTls, whoAmI } from './root-dse.js';
import { selectAttributes } from './selection.js';

/** What all sessions of a server have in common. */
export interface SessionContext {
  readonly directory: () => Directory;
  readonly references: References;
  /** A simple bind without TLS is refused. */
  readonly requireStrongAuth: boolean;
  /** After how long without a request a connection is closed; 0 for never. */
  readonly idleTimeoutMs: number;
  /** Set where StartTLS is offered. */
  readonly tls: SecureContext | undefined;
  readonly sizeLimit: number;
  readonly valueRange: number;
  /** While true, requests are read and kept, not answered. */
  readonly paused: () => boolean;
  readonly onSearch: FaultHook<SearchRequest>;
  readonly onBind: FaultHook<BindRequest>;
  readonly onBound: (code: number) => void;
  readonly onAbandon: () => void;
}

/** Longest message that is accepted, in bytes. */
const messageLimit = 1_048_576;

/** Active Directory's own words, which clients parse for the number behind `data`. */
const bindRefused = (data: string): string =>
  `80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data ${data}, v4563`;
const strongAuthNeeded =
  '00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity checking if SSL\\TLS are not already active on the connection, data 0, v4563';
const baseScopeOnly =
  '00002020: SvcErr: DSID-03100000, problem 5012 (DIR_ERROR), tokenGroups needs a search of scope base, data 0';
const bindFirst =
  '000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4563';

/** Controls that suppress references to other servers: ManageDsaIT (RFC 3296), LDAP_SERVER_DOMAIN_SCOPE_OID ([MS-ADTS]). */
const withoutReferences: ReadonlySet<string> = new Set(['2.16.840.1.113730.3.4.2', '1.2.840.113556.1.4.1339']);
const knownControls: ReadonlySet<string> = new Set([pagedResults, ...withoutReferences]);

interface SearchControls {
  readonly paging: { readonly page: ReturnType<typeof readPage> } | undefined;
  readonly references: boolean;
}

/** One client's connection. */
export class Session {
  readonly #context: SessionContext;
  #socket: Socket;
  #pending: Buffer = Buffer.alloc(0);
  #boundAs: Entry | undefined;
  readonly #underway = new Map<number, { abandoned: boolean }>();

  constructor(socket: Socket, context: SessionContext) {
    this.#context = context;
    this.#socket = socket;
    this.#attach(socket);
  }

  /** Resets the connection; a connection over TLS is closed without a farewell. */
  drop(): void {
    if (this.#socket instanceof TLSSocket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Answers what has arrived, as far as the server is not paused. */
  proceed(): void {
    try {
      while (!this.#context.paused() && this.#socket.writable) {
        const length = messageLength(this.#pending, messageLimit);
        if (length === undefined || length > this.#pending.length) return;
        const message = this.#pending.subarray(0, length);
        this.#pending = this.#pending.subarray(length);
        this.#handle(readRequest(message));
      }
    } catch (error) {
      if (!(error instanceof BerError)) throw error;
      this.#pending = Buffer.alloc(0);
      this.#socket.end(noticeOfDisconnection(error.message));
    }
  }

  #attach(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', () => undefined);
    if (this.#context.idleTimeoutMs > 0) this.#closeWhenIdle(socket);
    socket.on('data', (chunk: Buffer) => {
      this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
      this.proceed();
    });
  }

  #closeWhenIdle(socket: Socket): void {
    socket.setTimeout(this.#context.idleTimeoutMs, () => {
      if (this.#underway.size === 0) socket.end();
      else this.#closeWhenIdle(socket);
    });
  }

  #handle({ id, operation, controls }: Request): void {
    const unknown = controls.some(({ type, critical }) => critical && !(knownControls.has(type) && operation.kind === 'search'));
    const answer = answerTag(operation);
    if (answer !== undefined && unknown) {
      return this.#send(resultMessage(id, answer, { code: resultCodes.unavailableCriticalExtension }));
    }
    switch (operation.kind) {
      case 'bind':
        void this.#bindUnlessFaulty(id, operation);
        return;
      case 'unbind':
        this.#socket.end();
        return;
      case 'abandon': {
        const search = this.#underway.get(operation.target);
        if (search) search.abandoned = true;
        return this.#context.onAbandon();
      }
      case 'search': {
        const page = controls.find(({ type }) => type === pagedResults);
        const references = !controls.some(({ type }) => withoutReferences.has(type));
        void this.#search(id, operation, { paging: page && { page: readPage(page) }, references });
        return;
      }
      case 'extended':
        return this.#extended(id, operation.name);
      case 'unsupported':
        return this.#send(resultMessage(id, operation.answer, { code: resultCodes.unwillingToPerform, diagnostic: 'read only' }));
    }
  }

  async #bindUnlessFaulty(id: number, request: BindRequest): Promise<void> {
    const decided = this.#context.onBind(request);
    const fault = decided instanceof Promise ? await decided : decided;
    if (fault) return this.#fail(id, responseTags.bind, fault);
    const result = this.#bind(request);
    this.#context.onBound(result.code);
    this.#send(resultMessage(id, responseTags.bind, result));
  }

  #fail(id: number, tag: number, fault: Fault): void {
    if (typeof fault === 'object') return this.#send(resultMessage(id, tag, fault));
    if (fault === 'disconnect') this.drop();
    if (fault === 'garbage') this.#send(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
  }

  #bind({ version, name, password }: BindRequest): LdapResult {
    this.#boundAs = undefined;
    if (version !== 3) return { code: resultCodes.protocolError, diagnostic: 'only version 3 is spoken' };
    if (password === undefined) return { code: resultCodes.authMethodNotSupported };
    if (name === '' && password.length === 0) return { code: resultCodes.success };
    if (password.length === 0)
      return { code: resultCodes.unwillingToPerform, diagnostic: 'unauthenticated bind (RFC 4513 §5.1.2)' };
    if (this.#context.requireStrongAuth && !(this.#socket instanceof TLSSocket))
      return { code: resultCodes.strongerAuthRequired, diagnostic: strongAuthNeeded };
    const verdict = this.#context.directory().authenticate(name, password);
    if (verdict.kind === 'refused') return { code: resultCodes.invalidCredentials, diagnostic: bindRefused(verdict.data) };
    this.#boundAs = verdict.entry;
    return { code: resultCodes.success };
  }

  async #search(id: number, request: SearchRequest, controls: SearchControls): Promise<void> {
    const state = { abandoned: false };
    this.#underway.set(id, state);
    const decided = this.#context.onSearch(request);
    const fault = decided instanceof Promise ? await decided : decided;
    this.#underway.delete(id);
    if (state.abandoned || !this.#socket.writable) return;
    if (fault) return this.#fail(id, responseTags.done, fault);
    this.#send(...this.#answers(id, request, controls));
  }

  #answers(id: number, request: SearchRequest, { paging, references }: SearchControls): readonly Uint8Array[] {
    const done = (result: LdapResult): readonly Uint8Array[] => [resultMessage(id, responseTags.done, result)];
    const { sizeLimit, valueRange, tls, references: elsewhere } = this.#context;
    const directory = this.#context.directory();
    const root = request.base === '' && request.scope === 'base';
    if (!root && !this.#boundAs) return done({ code: resultCodes.operationsError, diagnostic: bindFirst });
    const instead = references ? elsewhere.instead(request.base) : undefined;
    if (instead !== undefined) return done({ code: resultCodes.referral, referral: instead });
    const tokenGroups = request.attributes.some((name) => /^tokengroups(?:;|$)/i.test(name));
    if (tokenGroups && request.scope !== 'base') return done({ code: resultCodes.operationsError, diagnostic: baseScopeOnly });
    const result = root ? rootDse(directory, tls !== undefined, request.filter) : directory.search(request);
    if (result.kind === 'invalidName') return done({ code: resultCodes.invalidDNSyntax });
    if (result.kind === 'noSuchObject') return done({ code: resultCodes.noSuchObject, matched: result.matched });
    if (paging && paging.page === undefined)
      return done({ code: resultCodes.unwillingToPerform, diagnostic: 'this cookie is not known' });

    const { offset, size } = paging?.page ?? { offset: 0, size: Infinity };
    const wanted = request.sizeLimit || Infinity;
    const end = Math.min(result.entries.length, offset + Math.min(size, sizeLimit), wanted);
    const entries = result.entries
      .slice(offset, end)
      .map((entry) => (tokenGroups ? directory.withTokenGroups(entry) : entry))
      .map((entry) =>
        entryMessage(id, entry.dn, selectAttributes(entry, request.attributes, { typesOnly: request.typesOnly, valueRange })),
      );
    const more = end < result.entries.length;
    const exceeded = more && (!paging || end >= wanted);
    const code = exceeded ? resultCodes.sizeLimitExceeded : resultCodes.success;
    const controls = paging ? [pageControl(more && !exceeded && size > 0 ? end : undefined)] : [];
    const others = references && offset === 0 ? elsewhere.besides(request.base, request.scope) : [];
    return [
      ...entries,
      ...others.map((url) => referenceMessage(id, url)),
      resultMessage(id, responseTags.done, { code }, controls),
    ];
  }

  #extended(id: number, name: string): void {
    if (name === startTls) return this.#startTls(id);
    if (name === whoAmI) {
      const identity = this.#boundAs ? `dn:${this.#boundAs.dn}` : '';
      return this.#send(extendedMessage(id, { code: resultCodes.success }, undefined, identity));
    }
    this.#send(extendedMessage(id, { code: resultCodes.protocolError, diagnostic: 'this extended operation is not known' }));
  }

  /** Bytes that came together with the request would be taken for protected ones later, so they end the session. */
  #startTls(id: number): void {
    const { tls } = this.#context;
    const refuse = (code: LdapResult['code']): void => this.#send(extendedMessage(id, { code }, startTls));
    if (tls === undefined) return refuse(resultCodes.protocolError);
    if (this.#socket instanceof TLSSocket) return refuse(resultCodes.operationsError);
    if (this.#pending.length > 0) throw new BerError('nothing may follow StartTLS before its answer');
    const plain = this.#socket;
    plain.removeAllListeners('data');
    plain.pause();
    plain.write(extendedMessage(id, { code: resultCodes.success }, startTls), () => {
      if (!plain.destroyed) this.#attach(new TLSSocket(plain, { isServer: true, secureContext: tls }));
    });
  }

  #send(...messages: readonly Uint8Array[]): void {
    this.#socket.write(messages.length === 1 ? messages[0]! : Buffer.concat(messages));
  }
}

/** Undefined for operations that are never answered. */
function answerTag(operation: Operation): number | undefined {
  switch (operation.kind) {
    case 'bind':
      return responseTags.bind;
    case 'search':
      return responseTags.done;
    case 'extended':
      return responseTags.extended;
    case 'unsupported':
      return operation.answer;
    default:
      return undefined;
  }
}
