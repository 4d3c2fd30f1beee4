import { DistinguishedName } from './distinguished-name.js';
import { Entry } from './entry.js';
import type { Filter } from './filter.js';
import { refusalOf, type Refusal } from './account.js';
import { guidBytes, sidBytes } from './identifiers.js';
import { LdifError, parseLdif, type LdifRecord } from './ldif.js';
import { compileFilter, type Surroundings } from './matching.js';
import { tokenGroupsOf, withMemberOf } from './membership.js';
import { preparedText, type PrepareText } from './prepared-text.js';
import { isKnownAttribute, isSecret, matchingKey, syntaxOf } from './syntax.js';

export type Scope = 'base' | 'one' | 'sub';

export type SearchResult =
  | { readonly kind: 'entries'; readonly entries: readonly Entry[] }
  /** `matched` is the nearest entry above that exists, empty where there is none. */
  | { readonly kind: 'noSuchObject'; readonly matched: string }
  | { readonly kind: 'invalidName' };

export type Authentication =
  | { readonly kind: 'accepted'; readonly entry: Entry }
  | { readonly kind: 'refused'; readonly data: Refusal };

const rootName = DistinguishedName.parse('')!;

/** The entries of an LDIF text, with `memberOf` worked out from `member`. Only passwords ever change. */
export class Directory implements Surroundings {
  readonly prepare: PrepareText;
  /** The names of the entries that have no parent here, as spelled. */
  readonly namingContexts: readonly string[];
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #index = new Map<string, Map<string, Entry[]>>();
  /** Those that were changed, by the key of the account. */
  readonly #passwords = new Map<string, Uint8Array>();

  /** Throws an LdifError for a text that is not LDIF, a name that is none, and a name that occurs twice. */
  constructor(ldif: string, prepare: PrepareText = preparedText) {
    this.prepare = prepare;
    this.#entries = entriesOf(withMemberOf(parseLdif(ldif)), prepare);
    for (const entry of this.#entries.values()) this.#enter(entry);
    const roots = [...this.#entries.values()].filter(({ name }) => !this.#entries.has(name.parent.key));
    this.namingContexts = roots.map(({ dn }) => dn);
  }

  readonly isKnown = (attribute: string): boolean => this.#index.has(attribute.toLowerCase()) || isKnownAttribute(attribute);

  readonly entryByKey = (key: string): Entry | undefined => this.#entries.get(key);

  readonly entryBySid = (sid: Uint8Array): Entry | undefined => this.#only('objectsid', sid);

  /** In the order of the LDIF. The empty base is above everything; it may also be `<SID=…>` or `<GUID=…>` ([MS-ADTS] §3.1.1.3.1.2.4). */
  search({ base, scope, filter }: { readonly base: string; readonly scope: Scope; readonly filter: Filter }): SearchResult {
    const name = this.#nameOf(base);
    if (typeof name === 'string') return name === 'invalid' ? { kind: 'invalidName' } : { kind: 'noSuchObject', matched: '' };
    if (name.depth > 0 && !this.#entries.has(name.key)) return { kind: 'noSuchObject', matched: this.#nearestAbove(name) };
    const matches = compileFilter(filter, this);
    const candidates = scope === 'base' ? this.#exactly(name) : (this.#candidates(filter) ?? this.#entries.values());
    return {
      kind: 'entries',
      entries: [...candidates].filter((entry) => inScope(entry, name, scope) && matches(entry) === true),
    };
  }

  /** By distinguished name, `userPrincipalName`, `DOMAIN\\name` or `name@domain`. The password must not be empty. */
  authenticate(user: string, password: Uint8Array): Authentication {
    const entry = this.#account(user);
    if (entry === undefined) return { kind: 'refused', data: '525' };
    const changed = this.#passwords.get(entry.name.key);
    const passwords = changed ? [changed] : (entry.attributes.get('userpassword')?.values ?? []);
    const data = refusalOf(
      entry,
      passwords.some((known) => Buffer.from(known).equals(password)),
    );
    return data === undefined ? { kind: 'accepted', entry } : { kind: 'refused', data };
  }

  /** Throws where there is no such account. */
  setPassword(dn: string, password: string): void {
    const name = DistinguishedName.parse(dn, this.prepare);
    if (!name || !this.#entries.has(name.key)) throw new Error(`there is no account ${dn}`);
    this.#passwords.set(name.key, Buffer.from(password, 'utf8'));
  }

  /** The entry with `tokenGroups`, which a directory works out when it is asked for. */
  withTokenGroups(entry: Entry): Entry {
    const values = tokenGroupsOf(entry, this);
    return values.length === 0 ? entry : entry.with({ name: 'tokenGroups', values });
  }

  /** An entry that is no part of the tree: the root DSE (RFC 4512 §5.1). */
  describe(texts: Readonly<Record<string, readonly string[]>>): Entry {
    const attributes = Object.entries(texts).filter(([, values]) => values.length > 0);
    const asBytes = attributes.map(([name, values]) => ({ name, values: values.map((text) => Buffer.from(text, 'utf8')) }));
    return new Entry('', rootName, asBytes);
  }

  #account(user: string): Entry | undefined {
    const name = DistinguishedName.parse(user, this.prepare);
    if (name) return this.#entries.get(name.key);
    const byPrincipal = this.#only('userprincipalname', Buffer.from(user, 'utf8'));
    if (byPrincipal) return byPrincipal;
    const { netbios, dns } = this.#domain();
    const [, domain, account] = /^([^\\]+)\\([^\\]+)$/.exec(user) ?? [];
    if (domain !== undefined) return domain.toLowerCase() === netbios ? this.#byAccountName(account!) : undefined;
    return user.toLowerCase().endsWith(`@${dns}`) ? this.#byAccountName(user.slice(0, -dns.length - 1)) : undefined;
  }

  #byAccountName(account: string): Entry | undefined {
    return this.#only('samaccountname', Buffer.from(account, 'utf8'));
  }

  /** Of the first naming context: `DC=corp,DC=example` is CORP and corp.example. */
  #domain(): { readonly netbios: string; readonly dns: string } {
    const labels = [...(DistinguishedName.parse(this.namingContexts[0] ?? '')?.key ?? '').matchAll(/(?:^|,)dc="([^"]*)"/g)];
    return { netbios: labels[0]?.[1] ?? '', dns: labels.map(([, label]) => label).join('.') };
  }

  /** The entry that alone has this value. */
  #only(attribute: string, value: Uint8Array): Entry | undefined {
    const key = matchingKey(syntaxOf(attribute), value, this.prepare);
    const found = (key !== undefined && this.#index.get(attribute)?.get(key)) || [];
    return found.length === 1 ? found[0] : undefined;
  }

  #nameOf(base: string): DistinguishedName | 'invalid' | 'unknown' {
    const [, kind, text = ''] = /^<(SID|GUID)=([^>]*)>$/i.exec(base) ?? [];
    if (kind === undefined) return DistinguishedName.parse(base, this.prepare) ?? 'invalid';
    const isHex = /^(?:[0-9a-f]{2})+$/i.test(text);
    const read = kind.toUpperCase() === 'SID' ? sidBytes : guidBytes;
    const bytes = isHex ? Buffer.from(text, 'hex') : read(text);
    if (bytes === undefined) return 'invalid';
    return this.#only(kind.toUpperCase() === 'SID' ? 'objectsid' : 'objectguid', bytes)?.name ?? 'unknown';
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
    const key = matchingKey(syntaxOf(filter.attribute), filter.value, this.prepare);
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

function entriesOf(records: readonly LdifRecord[], prepare: PrepareText): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const { dn, line, attributes } of records) {
    const name = DistinguishedName.parse(dn, prepare);
    if (name === undefined || name.depth === 0) throw new LdifError(line, 'this is not a distinguished name');
    if (entries.has(name.key)) throw new LdifError(line, 'an entry of this name exists already');
    entries.set(name.key, new Entry(dn, name, attributes, prepare));
  }
  return entries;
}
