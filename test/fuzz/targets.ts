import { parseTokenIssuanceStart } from '#auth-events';
import { eventKinds, wireEvents, type EventKind } from '../conformance/events/wire-events.js';
import type { ParseTarget } from './parse.js';

const text = (kind: EventKind): string => JSON.stringify(wireEvents[kind]());

/** The parsers of the library. */
export const parseTargets: readonly ParseTarget[] = [
  { name: 'parseTokenIssuanceStart', events: [text('tokenIssuanceStart')], parse: parseTokenIssuanceStart },
];

/** What is sent to the service: mostly its own event. */
export const serviceEvents: readonly string[] = [
  ...Array.from({ length: 10 }, () => text('tokenIssuanceStart')),
  ...eventKinds.map(text),
];
