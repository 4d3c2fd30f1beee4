import { StartError } from '../process/start-error.js';
import { DistinguishedName } from './distinguished-name.js';
import type { Scope } from './directory.js';

interface Reference {
  /** `ldap://host` */
  readonly server: string;
  readonly dn: string;
  readonly name: DistinguishedName;
}

/** Parts of the tree that another server has (RFC 4511 §4.1.10 and §4.5.3). */
export class References {
  readonly #references: readonly Reference[];

  /** Throws a StartError for what is not `ldap://host/DN`. */
  constructor(urls: readonly string[]) {
    this.#references = urls.map((url) => {
      const [, server, path = ''] = /^(ldaps?:\/\/[^/]+)\/(.+)$/i.exec(url) ?? [];
      const dn = decodeURIComponent(path);
      const name = DistinguishedName.parse(dn);
      if (server === undefined || !name?.depth) throw new StartError('start.input', `${url} is not the URL of a naming context.`);
      return { server, dn, name };
    });
  }

  /** Where to ask for this base instead; undefined where it is asked for here. */
  instead(base: string): string | undefined {
    const asked = DistinguishedName.parse(base);
    const reference = asked && this.#references.find(({ name }) => asked.isWithin(name));
    return reference && `${reference.server}/${encodeURI(base)}`;
  }

  /** Where else to continue a search of this base. */
  besides(base: string, scope: Scope): readonly string[] {
    const asked = DistinguishedName.parse(base);
    if (asked === undefined || scope === 'base') return [];
    const below = this.#references.filter(({ name }) => (scope === 'one' ? name.parent.key === asked.key : name.isWithin(asked)));
    return below.map(({ server, dn }) => `${server}/${encodeURI(dn)}${scope === 'one' ? '??base' : ''}`);
  }
}
