import type { ConfigurationIssue } from '#claims';

/** The operator's own file stops the start: it names the file and each path with its reason, never a value. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(
    readonly file: string,
    readonly issues: readonly ConfigurationIssue[],
  ) {
    super(
      issues.map((issue) => `${file}: ${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.reason}`).join('\n'),
    );
  }
}
