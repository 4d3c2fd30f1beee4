import { maximumClaimBytes } from './claim-size.js';
import { isScalar } from './scalar.js';

/** Why an answer cannot be sent. Names only, no value. */
export class Fault {
  constructor(readonly reason: string) {}
}

/** Writes one value of an answer as JSON, or says why it must not leave. The value is what a handler gave: anything. */
type WriteField = (value: unknown, name: string) => string | Fault;

type Fields = Readonly<Record<string, WriteField>>;

/** Writes the body of an answer, or says why it must not leave. */
export type WriteAnswer = (answer: { readonly kind: string }) => string | Fault;

/**
 * Compiles the writer of an event's answers: one object `data` with exactly one action. What does not depend on the answer is text
 * already, so that writing is joining; the result is what JSON.stringify would give.
 * @param dataType the `@odata.type` of `data`
 * @param actions by the answer's kind: the action's `@odata.type`, and its fields
 * @param dataFields fields of `data` beside the action
 */
export function compileAnswers<Kind extends string>(
  dataType: string,
  actions: Readonly<Record<Kind, { readonly type: string; readonly fields?: Fields }>>,
  dataFields: Fields = {},
): WriteAnswer {
  const rest = compileFields(dataFields);
  const writers = new Map<string, WriteAnswer>(
    Object.entries<{ type: string; fields?: Fields }>(actions).map(([kind, { type, fields = {} }]) => {
      const head = `{"data":{"@odata.type":${JSON.stringify(dataType)},"actions":[{"@odata.type":${JSON.stringify(type)}`;
      const own = compileFields(fields);
      return [
        kind,
        (answer) => {
          const action = own(answer);
          if (action instanceof Fault) return action;
          const data = rest(answer);
          return data instanceof Fault ? data : `${head}${action}}]${data}}}`;
        },
      ];
    }),
  );
  return (answer) => writers.get(answer?.kind)?.(answer) ?? new Fault('the event has no such answer');
}

/** Members of an object that has others before them. */
function compileFields(fields: Fields): WriteAnswer {
  const parts = Object.entries(fields).map(([name, write]) => ({ name, head: `,${JSON.stringify(name)}:`, write }));
  return (answer) => {
    let text = '';
    for (const { name, head, write } of parts) {
      const written = write((answer as Readonly<Record<string, unknown>>)[name], name);
      if (written instanceof Fault) return written;
      if (written !== '') text += head + written;
    }
    return text;
  };
}

/** A text that must not be empty. */
export const text: WriteField = (value, name) =>
  typeof value === 'string' && value.trim() !== '' ? JSON.stringify(value) : new Fault(`${name} is not a text, or empty`);

/** The member is left out where there is no value. */
export const optional =
  (write: WriteField): WriteField =>
  (value, name) =>
    value === undefined ? '' : write(value, name);

/** A list of texts, at least one. */
export const texts: WriteField = (value, name) => {
  if (!Array.isArray(value) || value.length === 0) return new Fault(`${name} is not a list, or empty`);
  return writeList(value) ?? new Fault(`${name} has an entry that is not a text`);
};

/** A Map as an object. Names must not be empty. */
const record =
  (what: string, entry: (value: unknown) => string | undefined): WriteField =>
  (value, name) => {
    if (!(value instanceof Map)) return new Fault(`${name} is not a map`);
    let members = '';
    for (const [key, given] of value) {
      if (typeof key !== 'string' || key.trim() === '') return new Fault(`${name} has an entry without a name`);
      const written = entry(given);
      if (written === undefined) return new Fault(`${name}: ${key} is not ${what}`);
      members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${written}`;
    }
    return `{${members}}`;
  };

export const scalars = record('a text, a number or a truth value', (value) =>
  isScalar(value) ? JSON.stringify(value) : undefined,
);

export const textByName = record('a text', (value) => (typeof value === 'string' ? JSON.stringify(value) : undefined));

const claimMembers = record('a text or a list of texts', (value) =>
  typeof value === 'string' ? JSON.stringify(value) : Array.isArray(value) ? writeList(value) : undefined,
);

/** Claims: texts and lists of texts, within the size that Entra takes. */
export const claims: WriteField = (value, name) => {
  const written = claimMembers(value, name);
  if (written instanceof Fault) return written;
  // A UTF-16 unit has at most 3 bytes, and JSON is never shorter than the text: no need to count.
  if (written.length <= maximumClaimBytes / 3) return written;
  let bytes = 0;
  for (const [key, given] of value as ReadonlyMap<string, string | readonly string[]>) {
    bytes += Buffer.byteLength(key);
    for (const entry of typeof given === 'string' ? [given] : given) bytes += Buffer.byteLength(entry);
  }
  return bytes > maximumClaimBytes ? new Fault(`names and values of ${name} have ${bytes} bytes`) : written;
};

function writeList(list: readonly unknown[]): string | undefined {
  let entries = '';
  for (const entry of list) {
    if (typeof entry !== 'string') return undefined;
    entries += `${entries === '' ? '' : ','}${JSON.stringify(entry)}`;
  }
  return `[${entries}]`;
}
