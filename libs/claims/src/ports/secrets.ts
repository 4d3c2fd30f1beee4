/** Where secrets come from. Configuration names a secret by reference and never holds it. */
export abstract class Secrets {
  /**
   * The present value behind a reference such as `env:LDAP_PASSWORD` or `file:/run/secrets/ldap`; a file is read at each call, so
   * that a rotated secret is picked up. Rejects with a message that names the reference, never the value.
   */
  abstract read(reference: string): Promise<string>;
}
