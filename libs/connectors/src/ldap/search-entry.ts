import { tags, type Elements } from './ber-elements.js';

/** An attribute of an entry as the server spells it, every value as bytes of its own: who keeps one keeps nothing else. */
export interface EntryAttribute {
  readonly type: string;
  readonly values: readonly Uint8Array[];
}

export interface DirectoryEntry {
  readonly name: string;
  readonly attributes: readonly EntryAttribute[];
}

/** Reads the contents of a SearchResultEntry (RFC 4511 §4.5.2), which end there. Undefined where they are not well formed. */
export function readSearchEntry(elements: Elements, end: number): DirectoryEntry | undefined {
  const name = elements.text(end);
  if (name === undefined || elements.enter(tags.sequence, end) !== end) return undefined;
  const attributes: EntryAttribute[] = [];
  while (elements.offset < end) {
    const attribute = readAttribute(elements, end);
    if (!attribute) return undefined;
    attributes.push(attribute);
  }
  return { name, attributes };
}

function readAttribute(elements: Elements, end: number): EntryAttribute | undefined {
  const attributeEnd = elements.enter(tags.sequence, end);
  if (attributeEnd < 0) return undefined;
  const type = elements.text(attributeEnd);
  if (type === undefined || elements.enter(tags.set, attributeEnd) !== attributeEnd) return undefined;
  const values: Uint8Array[] = [];
  while (elements.offset < attributeEnd) {
    const value = elements.copy(attributeEnd);
    if (!value) return undefined;
    values.push(value);
  }
  return { type, values };
}
