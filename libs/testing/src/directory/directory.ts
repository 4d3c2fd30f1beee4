import { DistinguishedName } from './distinguished-name.js';
import { Entry } from './entry.js';
import type { Filter } from './filter.js';
import { LdifError, parseLdif, type LdifAttribute, type LdifRecord } from './ldif.js';
import { compileFilter, type Surroundings } from './matching.js';
import { isKnownAttribute, isSecret, matchingKey, syntaxOf } from './syntax.js';

export type Scope = 'base' | 'one' | 'sub';

export type SearchResult =
  | { readonly kind: 'entries'; readonly entries: readonly Entry[] }
  /** `matched` is the nearest entry above that exists, empty where there is none. */
  | { readonly kind: 'noSuchObject'; readonly matched: string }
  | { readonly kind: 'invalidName' };

export type Authentication =
  | { readonly kind: 'accepted'; readonly entry: Entry }
  | { readonly kind: 'refused'; readonly reason: 'unknown' | 'password' | 'disabled' };

const disabledAccount = 2n;
const rootName = DistinguishedName.parse('')!;

/** The entries of an LDIF text, with `memberOf` worked out from `member`. It never changes. */
export class Directory implements Surroundings {
  /** The names of the entries that have no parent here, as spelled. */
  readonly namingContexts: readonly string[];
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #index = new Map<string, Map<string, Entry[]>>();

  /** Throws an LdifError for a text that is not LDIF, a name that is none, and a name that occurs twice. */
  constructor(ldif: string) {
    this.#entries = entriesOf(withMemberOf(parseLdif(ldif)));
    for (const entry of this.#entries.values()) this.#enter(entry);
    const roots = [...this.#entries.values()].filter(({ name }) => !this.#entries.has(name.parent.key));
    this.namingContexts = roots.map(({ dn }) => dn);
  }

  readonly isKnown = (attribute: string): boolean => this.#index.has(attribute.toLowerCase()) || isKnownAttribute(attribute);

  readonly entryByKey = (key: string): Entry | undefined => this.#entries.get(key);

  /** In the order of the LDIF. The empty base is above everything. */
  search({ base, scope, filter }: { readonly base: string; readonly scope: Scope; readonly filter: Filter }): SearchResult {
    const name = DistinguishedName.parse(base);
    if (name === undefined) return { kind: 'invalidName' };
    if (name.depth > 0 && !this.#entries.has(name.key)) return { kind: 'noSuchObject', matched: this.#nearestAbove(name) };
    const matches = compileFilter(filter, this);
    const candidates = scope === 'base' ? this.#exactly(name) : (this.#candidates(filter) ?? this.#entries.values());
    return {
      kind: 'entries',
      entries: [...candidates].filter((entry) => inScope(entry, name, scope) && matches(entry) === true),
    };
  }

  /** By distinguished name or `userPrincipalName`. The password must not be empty. */
  authenticate(user: string, password: Uint8Array): Authentication {
    const entry = this.#account(user);
    if (entry === undefined) return { kind: 'refused', reason: 'unknown' };
    const passwords = entry.attributes.get('userpassword')?.values ?? [];
    if (!passwords.some((known) => Buffer.from(known).equals(password))) return { kind: 'refused', reason: 'password' };
    const [control] = entry.attributes.get('useraccountcontrol')?.keys ?? [];
    const disabled = control !== undefined && (BigInt(control) & disabledAccount) !== 0n;
    return disabled ? { kind: 'refused', reason: 'disabled' } : { kind: 'accepted', entry };
  }

  /** An entry that is no part of the tree: the root DSE (RFC 4512 §5.1). */
  describe(texts: Readonly<Record<string, readonly string[]>>): Entry {
    const attributes = Object.entries(texts).filter(([, values]) => values.length > 0);
    const asBytes = attributes.map(([name, values]) => ({ name, values: values.map((text) => Buffer.from(text, 'utf8')) }));
    return new Entry('', rootName, asBytes);
  }

  #account(user: string): Entry | undefined {
    const name = DistinguishedName.parse(user);
    if (name) return this.#entries.get(name.key);
    const key = matchingKey('text', Buffer.from(user, 'utf8'));
    const found = (key !== undefined && this.#index.get('userprincipalname')?.get(key)) || [];
    return found.length === 1 ? found[0] : undefined;
  }

  #enter(entry: Entry): void {
    for (const [name, { keys }] of entry.attributes) {
      if (isSecret(name)) continue;
      const byKey = this.#index.get(name) ?? new Map<string, Entry[]>();
      this.#index.set(name, byKey);
      for (const key of new Set(keys)) {
        if (key === undefined) continue;
        const entries = byKey.get(key);
        if (entries) entries.push(entry);
        else byKey.set(key, [entry]);
      }
    }
  }

  /** All entries that can match, by the index; undefined where the filter has no equality to go by. */
  #candidates(filter: Filter): readonly Entry[] | undefined {
    if (filter.kind === 'and') {
      const sets = filter.filters.map((inner) => this.#candidates(inner)).filter((set) => set !== undefined);
      return sets.length === 0 ? undefined : sets.reduce((least, set) => (set.length < least.length ? set : least));
    }
    if (filter.kind !== 'equality') return undefined;
    const key = matchingKey(syntaxOf(filter.attribute), filter.value);
    return (key !== undefined && this.#index.get(filter.attribute.toLowerCase())?.get(key)) || [];
  }

  #exactly(name: DistinguishedName): readonly Entry[] {
    const entry = this.#entries.get(name.key);
    return entry ? [entry] : [];
  }

  #nearestAbove(name: DistinguishedName): string {
    for (let above = name.parent; above.depth > 0; above = above.parent) {
      const entry = this.#entries.get(above.key);
      if (entry) return entry.dn;
    }
    return '';
  }
}

function inScope({ name }: Entry, base: DistinguishedName, scope: Scope): boolean {
  if (scope === 'one') return name.parent.key === base.key;
  return scope === 'base' ? name.key === base.key : name.isWithin(base);
}

function entriesOf(records: readonly LdifRecord[]): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const { dn, line, attributes } of records) {
    const name = DistinguishedName.parse(dn);
    if (name === undefined || name.depth === 0) throw new LdifError(line, 'this is not a distinguished name');
    if (entries.has(name.key)) throw new LdifError(line, 'an entry of this name exists already');
    entries.set(name.key, new Entry(dn, name, attributes));
  }
  return entries;
}

/** The records with `memberOf` added: the name of each record whose `member` names it. Values already there are kept. */
export function withMemberOf(records: readonly LdifRecord[]): readonly LdifRecord[] {
  const groups = new Map<string, string[]>();
  for (const { dn, attributes } of records) {
    for (const key of namesIn(attributes, 'member')) groups.set(key, [...(groups.get(key) ?? []), dn]);
  }
  return records.map((record) => {
    const key = DistinguishedName.parse(record.dn)?.key ?? '';
    const known = namesIn(record.attributes, 'memberof');
    const added = (groups.get(key) ?? []).filter((dn) => !known.has(DistinguishedName.parse(dn)?.key ?? ''));
    if (added.length === 0) return record;
    const values = added.map((dn): Uint8Array => Buffer.from(dn, 'utf8'));
    const others = record.attributes.filter(({ name }) => name.toLowerCase() !== 'memberof');
    const own = record.attributes.find(({ name }) => name.toLowerCase() === 'memberof');
    return { ...record, attributes: [...others, { name: 'memberOf', values: [...(own?.values ?? []), ...values] }] };
  });
}

function namesIn(attributes: readonly LdifAttribute[], wanted: string): ReadonlySet<string> {
  const { values = [] } = attributes.find(({ name }) => name.toLowerCase() === wanted) ?? {};
  return new Set(values.map((value) => matchingKey('name', value)).filter((key) => key !== undefined));
}
