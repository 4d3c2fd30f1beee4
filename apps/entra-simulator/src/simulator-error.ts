import type { DocumentIssue } from './config.js';

/** A request to the simulator itself that it cannot do. The message is for whoever asked. */
export class SimulatorError extends Error {
  override readonly name = 'SimulatorError';
  readonly code: string;
  readonly status: number;
  readonly issues: readonly DocumentIssue[];

  constructor(code: string, status: number, message: string, issues: readonly DocumentIssue[] = []) {
    super(message);
    this.code = code;
    this.status = status;
    this.issues = issues;
  }
}
