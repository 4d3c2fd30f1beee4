import type { ContinueWithDefaultBehavior, Fail } from '../actions.js';
import { compileAnswers } from '../wire/answer-writer.js';

/** The code was sent; or Entra falls back to its own mail where the extension is configured so. */
export type EmailOtpSendAnswer = ContinueWithDefaultBehavior | Fail;

/** Microsoft's spelling: a capital O. */
export const writeEmailOtpSendAnswer = compileAnswers<Exclude<EmailOtpSendAnswer, Fail>['kind']>(
  'microsoft.graph.OnOtpSendResponseData',
  { continueWithDefaultBehavior: { type: 'microsoft.graph.OtpSend.continueWithDefaultBehavior' } },
);
