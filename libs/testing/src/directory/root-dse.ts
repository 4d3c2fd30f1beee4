import { DistinguishedName } from './distinguished-name.js';
import type { Directory, SearchResult } from './directory.js';
import { Entry } from './entry.js';
import type { Filter } from './filter.js';
import { compileFilter } from './matching.js';
import { pagedResults } from './paging.js';
import { preparedText } from './prepared-text.js';

/** Extended operations: RFC 4511 §4.14, RFC 4532. */
export const startTls = '1.3.6.1.4.1.1466.20037';
export const whoAmI = '1.3.6.1.4.1.4203.1.11.3';

/** LDAP_CAP_ACTIVE_DIRECTORY_OID ([MS-ADTS] §3.1.1.3.4.3.1): clients take it as the sign of Active Directory. */
const activeDirectory = '1.2.840.113556.1.4.800';

/** The entry with the empty name that describes the server (RFC 4512 §5.1), where it matches the filter. */
export function rootDse(directory: Directory, offersStartTls: boolean, filter: Filter): SearchResult {
  const attributes: Readonly<Record<string, readonly string[]>> = {
    objectClass: ['top'],
    namingContexts: directory.namingContexts,
    defaultNamingContext: directory.namingContexts.slice(0, 1),
    supportedLDAPVersion: ['3'],
    supportedControl: [pagedResults],
    supportedLDAPPolicies: ['MaxPageSize', 'MaxValRange', 'MaxConnIdleTime'],
    isGlobalCatalogReady: ['TRUE'],
    domainFunctionality: ['7'],
    supportedExtension: [whoAmI, ...(offersStartTls ? [startTls] : [])],
    supportedCapabilities: [activeDirectory],
  };
  const list = Object.entries(attributes).filter(([, values]) => values.length > 0);
  const entry = new Entry(
    '',
    DistinguishedName.root,
    list.map(([name, values]) => ({ name, values: values.map((value) => Buffer.from(value, 'utf8')) })),
  );
  const surroundings = {
    isKnown: (name: string) => entry.attributes.has(name.toLowerCase()),
    entryByKey: () => undefined,
    prepare: preparedText,
  };
  return { kind: 'entries', entries: compileFilter(filter, surroundings)(entry) === true ? [entry] : [] };
}
