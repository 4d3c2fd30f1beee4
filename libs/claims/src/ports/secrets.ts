/** Where secrets come from. Configuration names a secret by reference and never holds it. */
export abstract class Secrets {
  /**
   * The present value behind a reference such as `env:LDAP_PASSWORD` or `file:/run/secrets/ldap`; a file is read at each call, so
   * that a rotated secret is picked up. Rejects with a message that names the reference, never the value.
   */
  abstract read(reference: string): Promise<string>;
}

/**
 * A secret that mappings may use by its name, as a key for pseudonyms. Mappings name what the operator set apart for them; they cannot
 * name any reference, or their authors could make the service's own passwords keys and learn about them.
 */
export interface RegisteredSecret {
  readonly tenants: ReadonlySet<string>;
  /** The key; a sign-in never waits for it. */
  value(): Uint8Array;
}

/** 32 zero bytes: the key with which the tests beside mappings run, everywhere. With the operator's they would tell whose pseudonym is whose. */
export const standInKey: Uint8Array = new Uint8Array(32);

/** A secret as mappings can be checked without it: it has the stand-in key. */
export function standInSecret(tenants: ReadonlySet<string>): RegisteredSecret {
  return { tenants, value: () => standInKey };
}
