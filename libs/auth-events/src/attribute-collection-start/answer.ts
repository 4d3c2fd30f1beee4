import type { ContinueWithDefaultBehavior, Fail, ShowBlockPage } from '../actions.js';
import { compileAnswers, scalars, text } from '../wire/answer-writer.js';
import type { Scalar } from '../wire/scalar.js';

/** The person finds these values in the fields, by the attributes' names. */
export interface SetPrefillValues {
  readonly kind: 'setPrefillValues';
  readonly inputs: ReadonlyMap<string, Scalar>;
}

export type AttributeCollectionStartAnswer = ContinueWithDefaultBehavior | SetPrefillValues | ShowBlockPage | Fail;

const action = 'microsoft.graph.attributeCollectionStart';

export const writeAttributeCollectionStartAnswer = compileAnswers<Exclude<AttributeCollectionStartAnswer, Fail>['kind']>(
  'microsoft.graph.onAttributeCollectionStartResponseData',
  {
    continueWithDefaultBehavior: { type: `${action}.continueWithDefaultBehavior` },
    setPrefillValues: { type: `${action}.setPrefillValues`, fields: { inputs: scalars } },
    showBlockPage: { type: `${action}.showBlockPage`, fields: { message: text } },
  },
);
