import { PresenceFilter } from 'ldapts';
import { FilterTemplate, type EncodedFilter } from './filter-template.js';

/** Every entry has a class. */
export const everything = new PresenceFilter({ attribute: 'objectClass' });

/** The groups with one of these SIDs. Foreign security principals have the SIDs of others, but are no groups. */
export function groupsBySid(sids: readonly Uint8Array[]): EncodedFilter {
  const escaped = (sid: Uint8Array): string => [...sid].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  return literalFilter(`(&(objectClass=group)(|${sids.map((sid) => `(objectSid=${escaped(sid)})`).join('')}))`);
}

/**
 * A filter without a placeholder.
 * @throws Error where the text is not one, which is a defect of ours
 */
export function literalFilter(text: string): EncodedFilter {
  const parsed = FilterTemplate.parse(text);
  const filter = parsed.kind === 'parsed' ? parsed.template.encode(new Map()) : 'impossible';
  if (filter === 'impossible') throw new Error('not a filter');
  return filter;
}
