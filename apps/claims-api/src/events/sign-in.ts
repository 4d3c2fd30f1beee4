import type { TokenIssuanceStartEvent } from '#auth-events';
import { subjectProperties, type Selector, type Subject } from '#claims';

/** What an event says that decides on the claims. */
export interface SignIn {
  /** Undefined where the event names no application. */
  readonly call: Omit<Selector, 'tenant'> | undefined;
  /** Undefined where no person signs in. */
  readonly subject: Subject | undefined;
}

/** A token's claims belong to the resource; where the event names none, to the client itself. */
export function signInOf(event: TokenIssuanceStartEvent): SignIn {
  const client = event.clientServicePrincipal?.appId;
  const application = event.resourceServicePrincipal?.appId ?? client;
  return {
    call:
      application === undefined
        ? undefined
        : {
            application,
            extension: event.extensionId,
            ...(client && { client }),
            ...(event.protocol && { protocol: event.protocol }),
          },
    subject: subjectOf(event),
  };
}

function subjectOf({ user }: TokenIssuanceStartEvent): Subject | undefined {
  if (user === undefined) return undefined;
  const subject: { -readonly [Property in keyof Subject]: Subject[Property] } = {};
  for (const property of subjectProperties) {
    const text = user[property];
    if (text !== undefined && text.trim() !== '') subject[property] = text;
  }
  return subject;
}
