import { Attributes, ambiguous, found, notFound, unavailable, type Outcome } from '#claims';
import { JsonPointer } from './json-pointer.js';

/** Where a lookup's attributes are in the answer. */
export interface AnswerShape {
  /** By the attribute's name, as the configuration spells it. */
  readonly attributes: Readonly<Record<string, JsonPointer>>;
  /** Of the list of entries; without it the answer is the one entry. */
  readonly entries?: JsonPointer | undefined;
}

const jsonType = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/**
 * The outcome that an answer with status 200 is. Its private detail names places of the configuration, never what is there.
 *
 * What is no JSON by its own word is another system's, a page to sign in or of a proxy, whoever asks. What is wrong within JSON may be
 * one entry's: a quote or a letter in somebody's name is enough where a system puts its answers together by hand. So that is `refused`
 * and says nothing of the system: else whoever has such an entry could shut it off for everybody.
 */
export function readAnswer(
  contentType: string | undefined,
  body: Uint8Array,
  { attributes, entries }: AnswerShape,
  projection: readonly string[],
): Outcome {
  if (contentType === undefined || !jsonType.test(contentType)) return unavailable('malformed', 'not application/json');
  const document = parse(body);
  if (!isContainer(document)) return unavailable('refused', 'not a JSON object or list');
  let entry: unknown = document;
  if (entries) {
    const list = entries.find(document);
    if (!Array.isArray(list)) return unavailable('refused', `entries: no list at ${entries.text}`);
    if (list.length === 0) return notFound('noEntry');
    if (list.length > 1) return ambiguous;
    entry = list[0];
    if (!isContainer(entry)) return unavailable('refused', `entries: no object at ${entries.text}/0`);
  }
  const wanted = new Set(projection.map((name) => name.toLowerCase()));
  const read: [string, readonly string[]][] = [];
  for (const [name, pointer] of Object.entries(attributes)) {
    if (!wanted.has(name.toLowerCase())) continue;
    const values = valuesOf(pointer.find(entry));
    if (!values) return unavailable('refused', `${name}: an object or a list of lists at ${pointer.text}`);
    read.push([name, values]);
  }
  return found(new Attributes(read));
}

/** The document with every number as the text that stands there, or undefined where it is no JSON text (RFC 8259). */
export function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body), numberAsText);
  } catch {
    return undefined;
  }
}

/** A number of more than 53 bits would be rounded, and an employee's number be another's. */
function numberAsText(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? context!.source : value;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function valuesOf(value: unknown): readonly string[] | undefined {
  const list = Array.isArray(value) ? value : [value];
  const texts = list.filter((item) => item != null).map(textOf);
  return texts.includes(undefined) ? undefined : (texts as string[]);
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'boolean' ? String(value) : undefined;
}
