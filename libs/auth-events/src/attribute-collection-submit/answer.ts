import type { ContinueWithDefaultBehavior, Fail, ShowBlockPage } from '../actions.js';
import { compileAnswers, scalars, text, textByName } from '../wire/answer-writer.js';
import type { Scalar } from '../wire/scalar.js';

/** These values are stored in place of what the person filled in, by the attributes' names. */
export interface ModifyAttributeValues {
  readonly kind: 'modifyAttributeValues';
  readonly attributes: ReadonlyMap<string, Scalar>;
}

/** The person is shown what to correct. */
export interface ShowValidationError {
  readonly kind: 'showValidationError';
  readonly message: string;
  /** By the attributes' names. */
  readonly attributeErrors: ReadonlyMap<string, string>;
}

export type AttributeCollectionSubmitAnswer =
  | ContinueWithDefaultBehavior
  | ModifyAttributeValues
  | ShowValidationError
  | ShowBlockPage
  | Fail;

const action = 'microsoft.graph.attributeCollectionSubmit';

export const writeAttributeCollectionSubmitAnswer = compileAnswers<Exclude<AttributeCollectionSubmitAnswer, Fail>['kind']>(
  'microsoft.graph.onAttributeCollectionSubmitResponseData',
  {
    continueWithDefaultBehavior: { type: `${action}.continueWithDefaultBehavior` },
    modifyAttributeValues: { type: `${action}.modifyAttributeValues`, fields: { attributes: scalars } },
    showValidationError: { type: `${action}.showValidationError`, fields: { message: text, attributeErrors: textByName } },
    showBlockPage: { type: `${action}.showBlockPage`, fields: { message: text } },
  },
);
