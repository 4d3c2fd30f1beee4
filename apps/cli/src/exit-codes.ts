/** What the process ends with. Scripts depend on them; docs/guides/cli.md lists them. */
export const exitCodes = {
  ok: 0,
  /** Something was found: a document is refused, a test is red, a check failed, `plan --check` sees a change. */
  findings: 1,
  /** The words of the call are off, or a file cannot be read. */
  usage: 2,
  /** The service cannot be reached, or does not let this caller in. */
  unreachable: 3,
  /** Somebody else changed the same document meanwhile. */
  conflict: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the command with a message on standard error, and a remedy where there is one. */
export class CommandError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    readonly remedy?: string,
  ) {
    super(message);
  }
}
