import { unavailable, type Unavailable } from '#claims';
import type { Conversation } from './conversation.js';
import { EntryReader } from './entry-attributes.js';
import { everything } from './filters.js';
import type { DirectoryEntry } from './ldap-connection.js';

/** What one lookup may answer at most, in bytes. */
export const maximumBytes = 1024 * 1024;

/**
 * Reads an entry's attributes, and of those that the directory sends in parts (`member;range=0-1499`) the others too. What changes
 * between two parts may be missed, or seen twice: the directory has no snapshot of an attribute.
 */
export async function readWhole(
  conversation: Conversation,
  entry: DirectoryEntry,
  projection: readonly string[],
  binary: ReadonlySet<string>,
): Promise<{ readonly kind: 'whole'; readonly reader: EntryReader } | Unavailable> {
  const reader = new EntryReader(projection, binary);
  let part: DirectoryEntry | undefined = entry;
  for (;;) {
    if (!part || !reader.add(part.attributes)) return unavailable('malformed', 'parts of an attribute that do not fit together');
    if (reader.bytes > maximumBytes) return unavailable('limit', `more than ${maximumBytes} bytes`);
    const attributes = reader.remaining;
    if (attributes.length === 0) return { kind: 'whole', reader };
    const answer = await conversation.search({ base: entry.name, scope: 'base', filter: everything, attributes }, 1);
    if (answer.kind === 'unavailable') return answer;
    part = answer.entries[0];
  }
}
