import { canary } from '../conformance/events/wire-events.js';
import { bodyOf } from './bodies.js';
import { memory, violation, type Progress } from './report.js';

type Parsed =
  | { readonly kind: 'event'; readonly event: object }
  | { readonly kind: 'refused'; readonly issues: readonly { readonly path: string; readonly reason: string }[] };

export interface ParseTarget {
  readonly name: string;
  /** Valid events, as JSON; every input is one of them with something otherwise. */
  readonly events: readonly string[];
  readonly parse: (body: Uint8Array) => Parsed;
}

export interface ParseFigures {
  readonly accepted: number;
  readonly refused: number;
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const prototypeKeys = Reflect.ownKeys(Object.prototype).length;

/**
 * Gives `count` generated bodies to a parser. Each must be an event or a refusal with its paths: never a throw, an issue that repeats
 * a value, a polluted prototype, or an event of which the identifiers are not what they say.
 * @throws Violation with the seed and the input
 */
export function fuzzParse(target: ParseTarget, count: number, seed: number, progress?: Progress): ParseFigures {
  let accepted = 0;
  for (let index = 0; index < count; index++) {
    const body = bodyOf(seed, index, target.events);
    const fault = faultOf(target, body, () => accepted++);
    if (fault !== undefined) throw violation(target.name, seed, index, body, fault);
    if ((index + 1) % Math.ceil(count / 10) === 0) progress?.(index + 1, memory());
  }
  return { accepted, refused: count - accepted };
}

function faultOf({ parse }: ParseTarget, body: Uint8Array, accept: () => void): string | undefined {
  let parsed: Parsed;
  try {
    parsed = parse(body);
  } catch (error) {
    return `threw ${String(error)}`;
  }
  if (Reflect.ownKeys(Object.prototype).length !== prototypeKeys) return 'polluted the prototype of all objects';
  if (parsed.kind === 'refused') return faultOfRefusal(parsed.issues);
  accept();
  return faultOfEvent(parsed.event);
}

function faultOfRefusal(issues: readonly { readonly path: string; readonly reason: string }[]): string | undefined {
  if (issues.length === 0) return 'refused without a reason';
  if (issues.some(({ path, reason }) => `${path} ${reason}`.includes(canary))) return 'repeated a value in an issue';
  return issues.every(({ reason }) => /^(must |the body )/.test(reason)) ? undefined : 'gave a reason that is none of ours';
}

function faultOfEvent(event: object): string | undefined {
  const ids = event as Record<string, unknown>;
  for (const name of ['tenantId', 'correlationId'])
    if (typeof ids[name] !== 'string' || !guid.test(ids[name])) return `accepted an event whose ${name} is no GUID in lower case`;
  const user = ids['user'];
  if (user === undefined) return undefined;
  return Object.getPrototypeOf(user) === Object.prototype ? undefined : 'gave the user another prototype';
}
