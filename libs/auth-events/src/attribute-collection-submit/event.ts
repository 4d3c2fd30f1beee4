import { envelopeOf, type Envelope } from '../envelope/envelope.js';
import { userSignUpInfoOf, type UserSignUpInfo } from '../sign-up/sign-up-info.js';
import type { AttributeCollectionSubmitDto } from './request.dto.js';

/** A person who signs up has filled in the attributes (external tenants). */
export interface AttributeCollectionSubmitEvent extends Envelope {
  readonly kind: 'attributeCollectionSubmit';
  readonly userSignUpInfo: UserSignUpInfo;
}

export function attributeCollectionSubmitEvent(dto: AttributeCollectionSubmitDto): AttributeCollectionSubmitEvent {
  return {
    kind: 'attributeCollectionSubmit',
    ...envelopeOf(dto),
    userSignUpInfo: userSignUpInfoOf(dto.data.userSignUpInfo),
  };
}
