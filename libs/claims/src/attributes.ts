/** One value of an attribute: text, or bytes where the source says that the attribute is binary (objectGUID, objectSid). */
export type AttributeValue = string | Uint8Array;

/**
 * What a lookup answers: name → values. Names compare ignoring case, as LDAP (RFC 4512 §2.5) and SQL identifiers do;
 * an attribute without values does not exist.
 */
export class Attributes {
  private readonly byName = new Map<string, readonly AttributeValue[]>();

  constructor(entries: Iterable<readonly [name: string, values: readonly AttributeValue[]]> = []) {
    for (const [name, values] of entries) {
      if (values.length > 0) this.byName.set(name.toLowerCase(), [...values]);
    }
  }

  /** The values of the attribute in the order of the source; an empty list where it has none. */
  get(name: string): readonly AttributeValue[] {
    return this.byName.get(name.toLowerCase()) ?? [];
  }

  /** How many bytes names and values have, text as UTF-8. */
  get bytes(): number {
    let bytes = 0;
    for (const [name, values] of this.byName) {
      bytes += Buffer.byteLength(name);
      for (const value of values) bytes += typeof value === 'string' ? Buffer.byteLength(value) : value.length;
    }
    return bytes;
  }

  /** The names that have values, in lower case. */
  get names(): readonly string[] {
    return [...this.byName.keys()];
  }
}
