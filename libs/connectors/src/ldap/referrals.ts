/** Naming contexts of every forest in which there are no people (MS-ADTS §6.1.1.1): configuration, schema, DNS. */
const withoutPeople = /^(?:CN=Schema,CN=Configuration|CN=Configuration|DC=(?:Domain|Forest)DnsZones),/i;

/**
 * Whether there may be people where a search reference points (RFC 4511 §4.5.3). Active Directory adds references to its own other
 * naming contexts to every search that begins at the root of a domain. One that cannot be read may point anywhere.
 */
export function mayHoldPeople(reference: string): boolean {
  const [, name] = /^ldaps?:\/\/[^/?]*\/([^?]*)/i.exec(reference) ?? [];
  if (name === undefined) return true;
  try {
    return !withoutPeople.test(decodeURIComponent(name));
  } catch {
    return true;
  }
}
