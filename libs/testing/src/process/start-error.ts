export type StartErrorCode =
  /** the program or its package is not installed, or not for this platform */
  | 'start.notInstalled'
  /** what it was given (LDIF, SQL, options) is not usable */
  | 'start.input'
  /** the port is taken */
  | 'start.port'
  /** the program ended before it was ready, or never became ready */
  | 'start.failed';

/** A server of the tests or the demo did not start. The message says what to do; `detail` is the end of the program's own output. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code: StartErrorCode;
  readonly detail: string;

  constructor(code: StartErrorCode, message: string, detail = '') {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}
