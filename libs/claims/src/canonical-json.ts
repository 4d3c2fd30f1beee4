/**
 * JSON with the keys of every object sorted and no white space: values that are equal but for the order of keys have equal texts. Not
 * RFC 8785: keys that look like array indexes come first, in the order of their numbers, as JavaScript keeps them. What JSON cannot say
 * is left out or null, as in JSON.stringify, and undefined where that is the value itself.
 */
export function canonicalJson(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  );
}
