import { parseAuthEvent, parseTokenIssuanceStart } from '#auth-events';
import { eventKinds, wireEvents, type EventKind } from '../conformance/events/wire-events.js';
import type { ParseTarget } from './parse.js';

const text = (kind: EventKind): string => JSON.stringify(wireEvents[kind]());

/** The parsers of the library. Half of the inputs go to that of tokenIssuanceStart. */
export const parseTargets: readonly (ParseTarget & { readonly share: number })[] = [
  { name: 'parseTokenIssuanceStart', events: [text('tokenIssuanceStart')], parse: parseTokenIssuanceStart, share: 0.5 },
  ...eventKinds
    .filter((kind) => kind !== 'tokenIssuanceStart')
    .map((kind) => ({
      name: `parseAuthEvent, ${kind}`,
      events: [text(kind)],
      parse: (body: Uint8Array) => parseAuthEvent(kind, body),
      share: 0.1,
    })),
];

/** What is sent to the service: mostly its own event. */
export const serviceEvents: readonly string[] = [
  ...Array.from({ length: 10 }, () => text('tokenIssuanceStart')),
  ...eventKinds.map(text),
];
