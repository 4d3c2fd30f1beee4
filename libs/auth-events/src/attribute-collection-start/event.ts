import { envelopeOf, type Envelope } from '../envelope/envelope.js';
import { userSignUpInfoOf, type UserSignUpInfo } from '../sign-up/sign-up-info.js';
import type { AttributeCollectionStartDto } from './request.dto.js';

/** A person who signs up is about to be asked for attributes (external tenants). */
export interface AttributeCollectionStartEvent extends Envelope {
  readonly kind: 'attributeCollectionStart';
  readonly userSignUpInfo: UserSignUpInfo;
}

export function attributeCollectionStartEvent(dto: AttributeCollectionStartDto): AttributeCollectionStartEvent {
  return {
    kind: 'attributeCollectionStart',
    ...envelopeOf(dto),
    userSignUpInfo: userSignUpInfoOf(dto.data.userSignUpInfo),
  };
}
