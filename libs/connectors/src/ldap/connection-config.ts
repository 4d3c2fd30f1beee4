import net from 'node:net';
import { duration } from '#claims';
import { z } from 'zod';
import { fileReference, secretReference } from '../connector.js';

/** A directory server, and how its connection is protected. */
export interface LdapServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly security: 'tls' | 'startTls' | 'none';
}

type Address = Pick<LdapServer, 'host' | 'port'> & { readonly isEncrypted: boolean };

/**
 * Where an address leads and whether it is encrypted, decided here alone; undefined for a text that is no address. `URL` leaves out
 * blanks, tabs and line breaks, so that others could take ` ldap://` for another scheme.
 */
function readAddress(text: string): Address | undefined {
  const url = /[\s\p{Cc}]/u.test(text) ? null : URL.parse(text);
  const plain =
    url && url.username === '' && url.password === '' && url.search === '' && url.hash === '' && /^\/?$/.test(url.pathname);
  if (!plain || !['ldap:', 'ldaps:'].includes(url.protocol) || url.hostname === '') return undefined;
  const isEncrypted = url.protocol === 'ldaps:';
  const port = url.port === '' ? (isEncrypted ? 636 : 389) : Number(url.port);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, isEncrypted };
}

const address = z
  .string()
  .refine((text) => readAddress(text) !== undefined, { error: 'must be ldaps://host, ldaps://host:port, or the same with ldap' });

/** What `Resolver.setServers` takes; it throws for everything else. */
const dnsServer = z.string().refine(
  (text) => {
    const [, v6, v4, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
    const known = v6 === undefined ? net.isIPv4(v4 ?? '') : net.isIPv6(v6);
    return known && (port === undefined || (Number(port) >= 1 && Number(port) <= 65_535));
  },
  { error: 'must be address or address:port' },
);

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const domainName = z
  .string()
  .max(253)
  .regex(new RegExp(`^${label}(?:\\.${label})*$`), { error: 'must be the name of a domain' })
  .transform((name) => name.toLowerCase());

const between = (least: number, most: number, text: string) =>
  duration.refine((milliseconds) => milliseconds >= least && milliseconds <= most, { error: `must be between ${text}` });

const discover = z.strictObject({
  domain: domainName.describe('Whose servers: those that DNS lists at _ldap._tcp.<domain>.'),
  service: z
    .enum(['ldap', 'gc'])
    .default('ldap')
    .describe('gc: the global catalogs of a forest, at _gc._tcp.<domain>; the domain is then the forest’s root.'),
  site: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,63}$/, { error: 'must be the name of a site' })
    .optional()
    .describe('The Active Directory site whose servers are preferred.'),
  scheme: z.enum(['ldaps', 'ldap']).default('ldaps').describe('How the servers are spoken to.'),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('Instead of 636, or 3269 for gc, with ldaps, and of the port that DNS lists with ldap.'),
  targets: z
    .array(domainName)
    .min(1)
    .optional()
    .describe(
      'The domains that servers may be named in; the domain itself by default. DNS may lie, and is not followed elsewhere.',
    ),
  dns: z.array(dnsServer).min(1).optional().describe('The DNS servers that are asked; those of the system by default.'),
  refresh: between(1_000, 86_400_000, '1s and 24h').prefault('5m').describe('How often the list is asked for again.'),
});

/** The keys of a source of type `ldap` that say where its servers are, and how the service presents itself. */
export const connectionKeys = {
  urls: z.array(address).min(1).optional().describe('The servers of the directory, the preferred one first; or else discover.'),
  discover: discover.optional().describe('Finds the servers in DNS (RFC 2782).'),
  startTls: z.boolean().default(false).describe('Upgrades ldap:// connections before anything is sent.'),
  allowClearText: z
    .boolean()
    .default(false)
    .describe('Allows ldap:// without startTls: the service’s password crosses the network readable.'),
  tls: z
    .strictObject({
      ca: fileReference.optional().describe('The authorities that are trusted, and no others; those of the system by default.'),
      servername: z.string().min(1).optional().describe('The name that the certificate has, where it is not the host’s.'),
      certificate: fileReference.optional().describe('The service’s own certificate with its chain, as PEM.'),
      key: secretReference.optional().describe('Its key, as PEM.'),
    })
    .prefault({})
    .describe('Whom TLS trusts, and the certificate that the service shows.'),
  bind: z
    .strictObject({
      mechanism: z
        .enum(['simple', 'external'])
        .default('simple')
        .describe('simple: by name and password; external: by the certificate of tls (SASL EXTERNAL).'),
      dn: z.string().min(1).optional().describe('The service’s distinguished name.'),
      password: secretReference.optional().describe('Its password.'),
    })
    .describe('The service’s credentials.'),
  connections: z
    .strictObject({
      count: z.int().min(2).max(16).default(2).describe('Connections that are kept open; all searches share them.'),
      keepAlive: between(1_000, 3_600_000, '1s and 1h')
        .prefault('2m')
        .describe(
          'A connection is never silent for longer: shorter than the idle limit of the directory and of what is between.',
        ),
    })
    .prefault({})
    .describe('The connections that are kept.'),
};

type ConnectionDocument = z.output<z.ZodObject<typeof connectionKeys>>;
type Refuse = (path: readonly (string | number)[], message: string) => void;

/** Checks what one key says against the others. */
export function checkConnection(document: ConnectionDocument, refuse: Refuse): void {
  const { urls, discover: found, startTls, allowClearText, tls, bind } = document;
  if ((urls === undefined) === (found === undefined)) refuse(['urls'], 'is needed, or else discover; and not both');
  const addresses = [
    ...(urls ?? []).map((url, index) => ({ path: ['urls', index], clear: readAddress(url)?.isEncrypted === false })),
    ...(found ? [{ path: ['discover', 'scheme'], clear: found.scheme === 'ldap' }] : []),
  ];
  for (const { path, clear } of addresses) {
    if (clear && !startTls && !allowClearText)
      refuse(path, 'is not encrypted; use ldaps, or startTls: true, or say allowClearText: true');
    if (!clear && startTls) refuse(path, 'is encrypted from the start; startTls is for ldap');
    if (clear && !startTls && bind.mechanism === 'external') refuse(path, 'is not encrypted, so it can show no certificate');
  }
  if ((tls.certificate === undefined) !== (tls.key === undefined))
    refuse(['tls', tls.key === undefined ? 'key' : 'certificate'], 'is missing: a certificate needs its key');
  for (const key of ['dn', 'password'] as const) {
    if (bind.mechanism === 'simple' && bind[key] === undefined) refuse(['bind', key], 'is missing');
    if (bind.mechanism === 'external' && bind[key] !== undefined)
      refuse(['bind', key], 'is not allowed: the certificate says who binds');
  }
  if (bind.mechanism === 'external' && tls.certificate === undefined)
    refuse(['tls', 'certificate'], 'is missing: mechanism external binds by it');
}

/** How the service presents itself. */
export type LdapBind =
  | { readonly mechanism: 'simple'; readonly dn: string; readonly password: string }
  | { readonly mechanism: 'external'; readonly certificate: string; readonly key: string };

export type Discovery = z.output<typeof discover> & { readonly security: LdapServer['security'] };

/** The checked document as the connections want it. */
export function connectionOf({ urls = [], discover: found, startTls, bind, tls, ...rest }: ConnectionDocument) {
  const security = (encrypted: boolean): LdapServer['security'] => (encrypted ? 'tls' : startTls ? 'startTls' : 'none');
  return {
    ...rest,
    tls,
    bind: (bind.mechanism === 'simple'
      ? { mechanism: 'simple', dn: bind.dn!, password: bind.password! }
      : { mechanism: 'external', certificate: tls.certificate!, key: tls.key! }) as LdapBind,
    servers: urls.map((url): LdapServer => {
      const { host, port, isEncrypted } = readAddress(url)!;
      return { url, host, port, security: security(isEncrypted) };
    }),
    discovery: found && ({ ...found, security: security(found.scheme === 'ldaps') } as Discovery),
  };
}

export type ConnectionConfig = ReturnType<typeof connectionOf> & {
  readonly limits: { readonly connect: number; readonly operation: number };
};
