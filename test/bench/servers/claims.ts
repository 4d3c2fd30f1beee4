/** An attribute as ldapts gives it: one value, or several. */
export type LdapValue = string | Buffer | string[] | Buffer[] | undefined;

const texts = (value: LdapValue): string[] => (value === undefined ? [] : [value].flat().map(String));

const groupName = (dn: string): string => /^cn=([^,]+)/i.exec(dn)?.[1] ?? dn;

/** The claims of the bench's mapping, made by hand. */
export function claimsOf(
  entry: Readonly<Record<string, LdapValue>>,
  row: { readonly tier: string; readonly products: readonly string[] },
): Readonly<Record<string, string | readonly string[]>> {
  return {
    tier: row.tier,
    ...(row.products.length > 0 && { products: row.products }),
    department: texts(entry['department'])[0] ?? '',
    employeeNumber: texts(entry['employeeID'])[0] ?? '',
    roles: texts(entry['memberOf'])
      .map((dn) => groupName(dn))
      .toSorted(),
  };
}

/** The document that Entra accepts. */
export function answerOf(claims: Readonly<Record<string, unknown>>): object {
  return {
    data: {
      '@odata.type': 'microsoft.graph.onTokenIssuanceStartResponseData',
      actions: [{ '@odata.type': 'microsoft.graph.tokenIssuanceStart.provideClaimsForToken', claims }],
    },
  };
}
