import { writeAttributeCollectionStartAnswer } from './attribute-collection-start/answer.js';
import { attributeCollectionStartEvent } from './attribute-collection-start/event.js';
import { AttributeCollectionStartDto } from './attribute-collection-start/request.dto.js';
import { writeAttributeCollectionSubmitAnswer } from './attribute-collection-submit/answer.js';
import { attributeCollectionSubmitEvent } from './attribute-collection-submit/event.js';
import { AttributeCollectionSubmitDto } from './attribute-collection-submit/request.dto.js';
import { writeEmailOtpSendAnswer } from './email-otp-send/answer.js';
import { emailOtpSendEvent } from './email-otp-send/event.js';
import { EmailOtpSendDto } from './email-otp-send/request.dto.js';
import { writePasswordSubmitAnswer } from './password-submit/answer.js';
import { passwordSubmitEvent } from './password-submit/event.js';
import { PasswordSubmitDto } from './password-submit/request.dto.js';
import { writeTokenIssuanceStartAnswer } from './token-issuance-start/answer.js';
import { tokenIssuanceStartEvent } from './token-issuance-start/event.js';
import { TokenIssuanceStartDto } from './token-issuance-start/request.dto.js';
import { writeVerifiedIdClaimValidationAnswer } from './verified-id-claim-validation/answer.js';
import { verifiedIdClaimValidationEvent } from './verified-id-claim-validation/event.js';
import { VerifiedIdClaimValidationDto } from './verified-id-claim-validation/request.dto.js';
import { Fault, type WriteAnswer } from './wire/answer-writer.js';
import { EventReader, type ReadEvent, type RecheckOptions } from './wire/event-reader.js';

const define = <Kind extends string, Dto extends object, Event extends { readonly kind: Kind }>(
  kind: Kind,
  type: new () => Dto,
  eventOf: (dto: Dto) => Event,
  write: WriteAnswer,
) => ({ reader: new EventReader(kind, type, eventOf), writeAnswer: write });

/** Every event of the family: how it is read, and how its answers are written. A new event is its folder and its line here. */
export const authEvents = {
  tokenIssuanceStart: define('tokenIssuanceStart', TokenIssuanceStartDto, tokenIssuanceStartEvent, writeTokenIssuanceStartAnswer),
  attributeCollectionStart: define(
    'attributeCollectionStart',
    AttributeCollectionStartDto,
    attributeCollectionStartEvent,
    writeAttributeCollectionStartAnswer,
  ),
  attributeCollectionSubmit: define(
    'attributeCollectionSubmit',
    AttributeCollectionSubmitDto,
    attributeCollectionSubmitEvent,
    writeAttributeCollectionSubmitAnswer,
  ),
  emailOtpSend: define('emailOtpSend', EmailOtpSendDto, emailOtpSendEvent, writeEmailOtpSendAnswer),
  passwordSubmit: define('passwordSubmit', PasswordSubmitDto, passwordSubmitEvent, writePasswordSubmitAnswer),
  verifiedIdClaimValidation: define(
    'verifiedIdClaimValidation',
    VerifiedIdClaimValidationDto,
    verifiedIdClaimValidationEvent,
    writeVerifiedIdClaimValidationAnswer,
  ),
} as const;

export type AuthEventKind = keyof typeof authEvents;

export const authEventKinds = Object.keys(authEvents) as readonly AuthEventKind[];

type EventOf<Reader> = Reader extends EventReader<string, infer _Dto, infer Event> ? Event : never;

/** One callout of Entra; `kind` says which. */
export type AuthEvent<Kind extends AuthEventKind = AuthEventKind> = {
  [Each in Kind]: EventOf<(typeof authEvents)[Each]['reader']>;
}[Kind];

export type ParsedEvent<Kind extends AuthEventKind = AuthEventKind> = ReadEvent<AuthEvent<Kind>>;

/**
 * Reads the bytes of a request (UTF-8 JSON) as an event of one kind; another kind is refused. Unknown properties are ignored at every
 * level, null is taken as absent.
 */
export function parseAuthEvent<Kind extends AuthEventKind>(
  kind: Kind,
  body: Uint8Array,
  options?: RecheckOptions,
): ParsedEvent<Kind> {
  return authEvents[kind].reader.read(body, options) as ParsedEvent<Kind>;
}

/** Reads the bytes of a tokenIssuanceStart request. */
export const parseTokenIssuanceStart = (body: Uint8Array): ParsedEvent<'tokenIssuanceStart'> =>
  parseAuthEvent('tokenIssuanceStart', body);

export type WrittenAnswer =
  | { readonly kind: 'written'; readonly body: string }
  /** The answer must not leave: Entra would refuse it. The reason has names only. */
  | { readonly kind: 'malformed'; readonly reason: string };

/** The body of an answer: exactly one action of this very event. Nothing malformed is ever written. */
export function writeAnswer(kind: AuthEventKind, given: { readonly kind: string }): WrittenAnswer {
  const written = authEvents[kind].writeAnswer(given);
  return written instanceof Fault ? { kind: 'malformed', reason: written.reason } : { kind: 'written', body: written };
}
