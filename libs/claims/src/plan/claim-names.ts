import { liftedBySigningKey, restrictedJwtNames, restrictedJwtPrefixes, restrictedSamlNames } from './restricted-claims.js';

type Tell = (path: readonly (string | number)[], reason: string, remedy: string) => void;

/** What claims for a SAML assertion's subject are called, by themselves or at the end of a URI. */
const nameIds = /(?:^|[/:])(?:saml_?2?_?)?name_?id(?:entifier)?$/i;

/**
 * Guards for the names of claims. What cannot work is refused: a claim for SAML's NameID, and names that differ in case only. Names
 * that Entra does not emit are a warning, because they restrict what a claims policy emits and not what this answer calls it.
 */
export function checkClaimNames(names: readonly string[], refuse: Tell, warn: Tell): void {
  const byLowerCase = new Map<string, string>();
  for (const name of names) {
    const path = ['claims', name];
    const other = byLowerCase.get(name.toLowerCase());
    if (other !== undefined)
      refuse(path, `differs from ${other} in case only`, 'Entra tells them apart by case, and people do not: rename one');
    byLowerCase.set(name.toLowerCase(), name);
    if (nameIds.test(name)) {
      refuse(
        path,
        'is meant for SAML’s NameID, which Entra does not take from a custom claims provider',
        'give it another name and send it as an attribute, or let Entra take NameID from a property of the user',
      );
      continue;
    }
    const kind = restriction(name);
    if (kind !== undefined)
      warn(
        path,
        `Entra emits no claim ${name} of a claims policy: the name is in its ${kind} restricted claim set`,
        `call it otherwise here (my_${lastPart(name)}) and in the application’s claims policy, or map it there to a name that is not restricted` +
          (liftedBySigningKey.has(name) ? '; an application with a signing key of its own may have it' : ''),
      );
  }
}

/** The kinds of token in which Entra emits no claim of this name from a claims policy (Microsoft: claims customization reference). */
export function restrictionsOf(name: string): readonly ('jwt' | 'saml')[] {
  const kind = restriction(name);
  return kind === undefined ? [] : [kind === 'JWT' ? 'jwt' : 'saml'];
}

function restriction(name: string): 'JWT' | 'SAML' | undefined {
  if (restrictedJwtNames.has(name) || restrictedJwtPrefixes.some((prefix) => name.startsWith(prefix))) return 'JWT';
  return restrictedSamlNames.has(name) || liftedBySigningKey.has(name) ? 'SAML' : undefined;
}

function lastPart(name: string): string {
  return /[A-Za-z0-9_]+$/.exec(name)?.[0] ?? 'claim';
}
