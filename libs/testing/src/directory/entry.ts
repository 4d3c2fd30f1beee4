import { DistinguishedName } from './distinguished-name.js';
import type { LdifAttribute } from './ldif.js';
import { preparedText, type PrepareText } from './prepared-text.js';
import { matchingKey, syntaxOf, type Syntax } from './syntax.js';

/** An attribute of an entry, with what its values compare by. */
export interface StoredAttribute extends LdifAttribute {
  readonly syntax: Syntax;
  /** One for each value; undefined where the value does not conform to the syntax and so equals nothing. */
  readonly keys: readonly (string | undefined)[];
}

export class Entry {
  /** As spelled in the LDIF. */
  readonly dn: string;
  readonly name: DistinguishedName;
  /** By name in lower case. */
  readonly attributes: ReadonlyMap<string, StoredAttribute>;

  readonly #prepare: PrepareText;

  constructor(dn: string, name: DistinguishedName, attributes: readonly LdifAttribute[], prepare: PrepareText = preparedText) {
    this.dn = dn;
    this.name = name;
    this.#prepare = prepare;
    this.attributes = new Map(attributes.map((attribute) => [attribute.name.toLowerCase(), stored(attribute, prepare)]));
  }

  /** This entry with one attribute more. */
  with(attribute: LdifAttribute): Entry {
    return new Entry(this.dn, this.name, [...this.attributes.values(), attribute], this.#prepare);
  }
}

function stored({ name, values }: LdifAttribute, prepare: PrepareText): StoredAttribute {
  const syntax = syntaxOf(name);
  return { name, values, syntax, keys: values.map((value) => matchingKey(syntax, value, prepare)) };
}
