/** What happens in place of an answer. */
export type Fault =
  /** a result code of RFC 4511, without entries */
  | { readonly code: number; readonly diagnostic?: string }
  /** never answered */
  | 'silence'
  /** the connection is reset */
  | 'disconnect'
  /** bytes that are no LDAP */
  | 'garbage';

/** Decides about one request, at once or later; nothing means that it is answered as usual. */
export type FaultHook<Request> = (request: Request) => Fault | void | Promise<Fault | void>;
