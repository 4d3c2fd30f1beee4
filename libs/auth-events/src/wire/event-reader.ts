import { isDeepStrictEqual } from 'node:util';
import { compileAcceptor, type Acceptor } from './compile-acceptor.js';
import type { DtoClass } from './decorators.js';
import { readJsonObject, type BodyIssue, type JsonObject } from './json-body.js';
import { validateDto } from './validate-dto.js';

export type ReadEvent<Event> =
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'refused'; readonly issues: readonly BodyIssue[] };

/** The compiled acceptor and class-validator differ on a body: a defect of ours. The verdict was class-validator's. */
export interface AcceptorDisagreement {
  /** The kind of the event. */
  readonly event: string;
  readonly difference: 'acceptedOnlyByAcceptor' | 'acceptedOnlyByValidator' | 'eventsDiffer';
}

export interface RecheckOptions {
  /** The share of the accepted events that class-validator is asked about as well, 0 to 1. */
  readonly recheck?: number;
  readonly report?: (disagreement: AcceptorDisagreement) => void;
}

/** Reads the events of one kind: the compiled acceptor first, and class-validator for what that does not accept. */
export class EventReader<Kind extends string, Dto extends object, Event extends { readonly kind: Kind }> {
  constructor(
    private readonly kind: Kind,
    private readonly type: DtoClass<Dto>,
    /** May use up the DTO that it is given. */
    private readonly eventOf: (dto: Dto) => Event,
    private acceptor?: Acceptor<Dto>,
  ) {}

  /**
   * Compiles the acceptor; otherwise the first event does.
   * @throws Error where the DTO has a decorator that is not known
   */
  prepare(): Acceptor<Dto> {
    return (this.acceptor ??= compileAcceptor(this.type));
  }

  /** Reads the bytes of a request: one JSON object in UTF-8. Unknown properties are ignored at every level. */
  read(body: Uint8Array, { recheck = 0, report }: RecheckOptions = {}): ReadEvent<Event> {
    const json = readJsonObject(body);
    if (json.kind === 'refused') return json;
    const dto = this.prepare()(json.value);
    const accepted = dto && ({ kind: 'event', event: this.eventOf(dto) } as const);
    if (accepted && (recheck <= 0 || Math.random() >= recheck)) return accepted;
    const verdict = this.validate(json.value);
    const difference = differenceOf(accepted, verdict);
    if (difference) report?.({ event: this.kind, difference });
    return verdict;
  }

  /** The verdict of class-validator, which is final. */
  validate(value: JsonObject): ReadEvent<Event> {
    const validated = validateDto(this.type, value);
    return validated.kind === 'valid'
      ? { kind: 'event', event: this.eventOf(validated.dto) }
      : { kind: 'refused', issues: validated.issues };
  }
}

function differenceOf(
  accepted: { readonly event: object } | undefined,
  verdict: ReadEvent<object>,
): AcceptorDisagreement['difference'] | undefined {
  if (verdict.kind === 'refused') return accepted && 'acceptedOnlyByAcceptor';
  if (!accepted) return 'acceptedOnlyByValidator';
  return isDeepStrictEqual(accepted.event, verdict.event) ? undefined : 'eventsDiffer';
}
