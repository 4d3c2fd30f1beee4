import { parseAuthEvent, parseTokenIssuanceStart, type AcceptorDisagreement } from '#auth-events';
import { eventKinds, wireEvents, type EventKind } from '../conformance/events/wire-events.js';
import type { ParseTarget } from './parse.js';

const text = (kind: EventKind): string => JSON.stringify(wireEvents[kind]());

/**
 * The parsers of the library: as the service uses them, and each kind with class-validator asked about every body as well. A difference
 * of its verdict, or of the event, from those of the compiled acceptor is thrown.
 */
export const parseTargets: readonly (ParseTarget & { readonly share: number })[] = [
  { name: 'parseTokenIssuanceStart', events: [text('tokenIssuanceStart')], parse: parseTokenIssuanceStart, share: 0.4 },
  ...eventKinds.map((kind) => ({
    name: `parseAuthEvent beside class-validator, ${kind}`,
    events: [text(kind)],
    parse: (body: Uint8Array) => parseAuthEvent(kind, body, { recheck: 1, report: disagree }),
    share: 0.1,
  })),
];

function disagree({ difference }: AcceptorDisagreement): never {
  throw new Error(difference);
}

/** What is sent to the service: mostly its own event. */
export const serviceEvents: readonly string[] = [
  ...Array.from({ length: 10 }, () => text('tokenIssuanceStart')),
  ...eventKinds.map(text),
];
