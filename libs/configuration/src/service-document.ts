import { configurationName, duration, guid } from '#claims';
import { z } from 'zod';

const port = z.int().min(0).max(65_535);

const durationBetween = (minimum: number, maximum: number) =>
  duration.refine((value) => value >= minimum && value <= maximum, { error: `must be between ${minimum}ms and ${maximum}ms` });

const oneOrMore = <Item extends z.ZodType>(item: Item) =>
  z.union([item.transform((only) => [only]), z.array(item).min(1)]) as unknown as z.ZodType<
    z.output<Item>[],
    z.input<Item> | z.input<Item>[]
  >;

const trust = {
  tenantId: guid.describe('The Entra tenant’s id.'),
  audience: oneOrMore(z.string().min(1)).describe(
    'The client id of the API’s app registration, or its App ID URI for version 1.0 tokens.',
  ),
  cloud: z.enum(['public', 'usGovernment', 'china']).default('public'),
  external: z
    .strictObject({
      subdomain: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]*$/)
        .optional(),
    })
    .optional()
    .describe('Set for an external (CIAM) tenant; the subdomain is the one of <subdomain>.ciamlogin.com.'),
  issuers: z
    .array(
      z.strictObject({
        issuer: z.url().describe('The exact iss of the tokens.'),
        metadata: z
          .url({ protocol: /^https$/, error: 'must be an https address' })
          .describe('The address of its OpenID metadata.'),
        version: z
          .enum(['1.0', '2.0'])
          .optional()
          .describe('The ver that its tokens must have; by default that of Entra’s issuer of this form.'),
      }),
    )
    .min(1)
    .optional()
    .describe('Instead of the issuers that cloud and external stand for.'),
};

const tenant = z.strictObject({
  ...trust,
  callers: z
    .array(guid)
    .min(1)
    .optional()
    .describe('The application ids that may call; Entra’s authentication extensions service by default.'),
  unmappedApplications: z
    .enum(['empty', 'fail'])
    .default('empty')
    .describe('The answer for an application without a mapping: no claims, or no token.'),
});

const admin = z.strictObject({
  ...trust,
  callers: z
    .strictObject({
      applications: z.array(guid).default([]).describe('Application ids that may call for themselves, by their app roles.'),
      delegated: z.array(guid).default([]).describe('Application ids that may call for a user, by the user’s roles.'),
    })
    .refine((callers) => callers.applications.length + callers.delegated.length > 0, { error: 'needs at least one application' }),
  scope: z.string().min(1).optional().describe('The scope that a delegated token must have; any by default.'),
});

const tls = z.strictObject({
  certificate: z.string().startsWith('file:').describe('The certificate with its chain, as PEM.'),
  key: z
    .string()
    .regex(/^(env|file):/)
    .describe('Its key, as PEM.'),
  minimumVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
});

const listen = (host: string, listenPort: number, connections: number) => ({
  host: z.string().min(1).default(host),
  port: port.default(listenPort),
  tls: tls.optional().describe('Serves https. The files are followed: a new certificate needs no restart.'),
  trustedProxies: z
    .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], { error: 'must be an address or a network (CIDR)' }))
    .default([])
    .describe('Whose X-Forwarded-For is believed when the address of a peer matters.'),
  limits: z
    .strictObject({
      connections: z.int().min(1).max(100_000).default(connections).describe('Connections beyond this are closed at once.'),
      headers: durationBetween(100, 60_000).prefault('5s').describe('How long the headers may take to arrive.'),
      request: durationBetween(100, 60_000).prefault('10s').describe('How long a whole request may take to arrive.'),
      failedAuthentications: z.int().min(1).default(60).describe('Failures of one peer in a minute that are answered by 401.'),
    })
    .refine((limits) => limits.headers <= limits.request, { error: 'must not be longer than request', path: ['headers'] })
    .prefault({}),
});

const postgres = z.strictObject({
  host: z.string().min(1).describe('Its name or address.'),
  port: port.default(5432).describe('Its port.'),
  database: z.string().min(1).describe('The database’s name.'),
  user: z.string().min(1).describe('The service’s role.'),
  password: z
    .string()
    .regex(/^(env|file):/)
    .describe('Its password.'),
  owner: z
    .strictObject({ user: z.string().min(1), password: z.string().regex(/^(env|file):/) })
    .optional()
    .describe('The role that owns the tables and migrates them; the service’s own by default.'),
  tls: z
    .union(
      [
        z.enum(['verify-full', 'disable']),
        z.strictObject({
          ca: z.string().startsWith('file:').optional().describe('The authorities that are trusted, and no others.'),
          servername: z.string().min(1).optional().describe('The name that the certificate has, where it is not the host’s.'),
        }),
      ],
      { error: 'must be verify-full, disable or { ca: file:PATH }' },
    )
    .default('verify-full')
    .describe('verify-full trusts the system’s authorities; disable sends all readable.'),
  connections: z.int().min(1).max(100).default(4).describe('Sessions at most, beside the one that listens for publishes.'),
  limits: z
    .strictObject({
      connect: durationBetween(100, 60_000).prefault('2s').describe('How long opening a session may take.'),
      operation: durationBetween(100, 300_000).prefault('10s').describe('How long a statement may take.'),
    })
    .prefault({}),
  migrate: z.boolean().default(false).describe('Whether the service brings the tables up to date itself when it starts.'),
});

const mappings = z
  .strictObject({
    folder: z.string().min(1).optional().describe('Where the mappings are, one YAML file each.'),
    postgres: postgres.optional().describe('The database in which mappings are edited and published.'),
    polling: durationBetween(500, 3_600_000)
      .prefault('10s')
      .describe('How often the store is asked for changes that could not be told at once.'),
  })
  .refine(({ folder, postgres: database }) => (folder === undefined) !== (database === undefined), {
    error: 'must have either folder or postgres',
  });

/** The operator's configuration file, claimbridge.yaml. Unknown keys are refused at every level. */
export const serviceDocument = z
  .strictObject({
    listen: z
      .strictObject({
        public: z.strictObject(listen('0.0.0.0', 8080, 10_000)).prefault({}),
        management: z
          .strictObject({
            ...listen('127.0.0.1', 9090, 100),
            plainHttp: z.boolean().default(false).describe('Allows plain http on an address that is not loopback.'),
            metrics: z
              .enum(['open', 'Claims.Read'])
              .default('open')
              .describe('Who may read /metrics: everybody who reaches this door, or operators with the role.'),
          })
          .refine((door) => door.plainHttp || door.tls || ['127.0.0.1', '::1', 'localhost'].includes(door.host), {
            error: 'listens beyond loopback without tls; say plainHttp: true if the network in front of it protects it',
            path: ['host'],
          })
          .prefault({}),
      })
      .prefault({}),
    entra: z
      .strictObject({
        timeout: duration
          .refine((milliseconds) => milliseconds >= 200 && milliseconds <= 2_000, { error: 'Entra allows 200ms to 2s' })
          .prefault('1s')
          .describe('timeoutInMilliseconds of the custom authentication extension.'),
        edgeAllowance: duration.prefault('300ms').describe('What network and TLS may take of it.'),
        recheck: z
          .number()
          .min(0)
          .max(1)
          .default(0.001)
          .describe('The share of accepted events that class-validator is asked about beside the compiled acceptor.'),
      })
      .refine((entra) => entra.edgeAllowance < entra.timeout, {
        error: 'must be shorter than the timeout',
        path: ['edgeAllowance'],
      })
      .prefault({}),
    tenants: z
      .record(configurationName, tenant)
      .refine((tenants) => Object.keys(tenants).length > 0, { error: 'needs at least one tenant' }),
    admin: admin.optional().describe('Who may use the admin API. Without it the management door has no admin routes.'),
    trust: z
      .strictObject({
        ca: z.string().startsWith('file:').optional().describe('A private CA for the addresses of metadata and keys.'),
        clockSkew: durationBetween(0, 300_000).prefault('60s'),
        keys: z
          .strictObject({
            refresh: durationBetween(60_000, 86_400_000).prefault('1h').describe('How often the signing keys are fetched.'),
            coolDown: durationBetween(5_000, 300_000)
              .prefault('30s')
              .describe('An unknown key id causes no fetch within this time of the last one.'),
            maximumAge: durationBetween(3_600_000, 604_800_000)
              .prefault('24h')
              .describe('How long keys serve that cannot be fetched again.'),
            timeout: durationBetween(100, 10_000).prefault('1500ms').describe('How long one fetch may take.'),
            pinned: z
              .string()
              .startsWith('file:')
              .optional()
              .describe('Key sets by issuer (JSON) to start with where the metadata cannot be reached.'),
          })
          .prefault({}),
      })
      .prefault({}),
    mappings,
    snapshot: z
      .strictObject({ file: z.string().min(1) })
      .optional()
      .describe('Where the last mappings that compiled are kept, to start with when the store cannot be read.'),
    sources: z.record(configurationName, z.looseObject({ type: z.string().min(1) })).default({}),
    secrets: z
      .record(
        configurationName,
        z.strictObject({
          value: z
            .string()
            .regex(/^(env|file):.+$/, { error: 'must be env:NAME or file:PATH' })
            .describe('At least 32 bytes, from a generator of random values: openssl rand -base64 48.'),
          tenants: z.array(configurationName).min(1),
        }),
      )
      .default({})
      .describe(
        'Keys that mappings may use by their names, for Hash and Pairwise. Another key gives everybody another pseudonym.',
      ),
    probes: z.strictObject({ interval: duration.prefault('15s'), timeout: duration.prefault('2s') }).prefault({}),
    shutdown: z
      .strictObject({
        delay: duration.prefault('5s').describe('How long requests are still taken after readiness went false.'),
        limit: duration
          .prefault('10s')
          .describe('How long requests in flight may take after that, and then the closing of connections.'),
      })
      .prefault({}),
  })
  .refine((document) => document.admin || document.listen.management.metrics === 'open', {
    error: 'needs an admin tenant',
    path: ['listen', 'management', 'metrics'],
  })
  .meta({ title: 'Claimbridge service configuration' });

export type ServiceDocument = z.output<typeof serviceDocument>;

/** The JSON Schema (draft 2020-12) of the configuration file. Each source’s own keys are in the documentation of its connector. */
export function serviceJsonSchema(): object {
  return z.toJSONSchema(serviceDocument, { io: 'input' });
}
