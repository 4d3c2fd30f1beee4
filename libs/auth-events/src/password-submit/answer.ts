import type { Fail } from '../actions.js';
import { compileAnswers, optional, text } from '../wire/answer-writer.js';

/** Every answer carries the nonce of the encrypted context, by which Entra knows that it was decrypted. */
interface WithNonce<Kind extends string> {
  readonly kind: Kind;
  readonly nonce: string;
}

/** What the person reads on the page that ends the sign-in. */
export interface BlockPage {
  readonly title?: string;
  readonly message?: string;
}

export type PasswordSubmitAnswer =
  /** the password is right; Entra keeps it */
  | WithNonce<'migratePassword'>
  /** the password is right, but weak or expired; the person chooses another */
  | WithNonce<'updatePassword'>
  /** the password is wrong; the person may try again */
  | WithNonce<'retryPassword'>
  /** no sign-in */
  | (WithNonce<'blockSignIn'> & BlockPage)
  | Fail;

const action = 'microsoft.graph.passwordSubmit';

export const writePasswordSubmitAnswer = compileAnswers<Exclude<PasswordSubmitAnswer, Fail>['kind']>(
  'microsoft.graph.onPasswordSubmitResponseData',
  {
    migratePassword: { type: `${action}.MigratePassword` },
    updatePassword: { type: `${action}.UpdatePassword` },
    retryPassword: { type: `${action}.Retry` },
    blockSignIn: { type: `${action}.Block`, fields: { title: optional(text), message: optional(text) } },
  },
  { nonce: text },
);
