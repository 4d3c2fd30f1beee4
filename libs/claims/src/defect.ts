/**
 * What failed in code that should not, and where: `RangeError at groupName (text-functions.js:26)`. For the operator's log. The
 * message is left out, because it may have a value of a person.
 */
export function describeDefect(error: unknown): string {
  if (!(error instanceof Error)) return 'not an Error';
  const { name, message, stack = '' } = error;
  const told = stack.indexOf(message);
  const frames = told < 0 ? [] : stack.slice(told + message.length).matchAll(frame);
  const [first] = frames;
  if (!first) return name;
  const { called, file } = first.groups!;
  return `${name} at ${called ? `${called}(${file})` : file}`;
}

/** A frame of V8's stack trace that has a file, such as `    at f (file:///folder/name.js:1:2)` or `    at /folder/name.js:1:2`. */
const frame = /^ +at (?<called>[^(\n]* (?=\())?\(?[^()\n]*?(?<file>[^/\\()\n]*:\d+):\d+\)?$/gm;
