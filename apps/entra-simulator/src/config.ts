import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { YAMLParseError, parse } from 'yaml';
import { z } from 'zod';

/** The longest wait Entra can be told (customExtensionClientConfiguration of Microsoft Graph: 200 to 2,000 ms). */
const timeouts = { least: 200, most: 2_000, usual: 1_000 };

const guid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, {
    error: 'must be a GUID (8-4-4-4-12 hexadecimal digits)',
  })
  .transform((text) => text.toLowerCase());

const alias = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i, { error: 'must be letters, digits, dots, hyphens and underscores' });

const text = z.string().nullable().optional();

/** The 14 properties that Microsoft documents. One that is null is sent as null; one that is not there is not sent. */
const user = z.strictObject({
  id: guid,
  userPrincipalName: text,
  userType: text,
  displayName: text,
  givenName: text,
  surname: text,
  mail: text,
  companyName: text,
  createdDateTime: text,
  preferredLanguage: text,
  preferredDataLocation: text,
  onPremisesSamAccountName: text,
  onPremisesUserPrincipalName: text,
  onPremisesSecurityIdentifier: text,
});

const api = z.strictObject({
  appId: guid,
  requestedAccessTokenVersion: z.union([z.literal(1), z.literal(2), z.null()]).default(2),
  identifierUri: z.string().min(1).optional(),
  extensionsObjectId: guid.optional(),
});

const extension = z.strictObject({
  id: guid,
  targetUrl: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }),
  timeoutInMilliseconds: z.int().min(timeouts.least).max(timeouts.most).nullable().default(null),
  maximumRetries: z.int().min(0).max(1).nullable().default(null),
  claimsForTokenConfiguration: z.array(z.string().min(1)).default([]),
});

const application = z.strictObject({
  appId: guid,
  objectId: guid,
  displayName: z.string().min(1),
  extension: alias.optional(),
  listenerId: guid.optional(),
  claimsMapping: z.array(z.strictObject({ id: z.string().min(1), jwtClaimType: z.string().min(1) })).default([]),
});

const client = z.strictObject({
  clientId: guid,
  clientSecret: z.string().min(1),
  objectId: guid.optional(),
  resource: guid,
  roles: z.array(z.string().min(1)).default([]),
});

const tenant = z.strictObject({
  tenantId: guid,
  api,
  extensions: z.record(alias, extension).default({}),
  applications: z.record(alias, application).default({}),
  clients: z.record(alias, client).default({}),
  users: z.record(alias, user).default({}),
});

const simulatorDocument = z
  .strictObject({ tenants: z.record(alias, tenant) })
  .refine(({ tenants }) => Object.keys(tenants).length > 0, { error: 'needs at least one tenant', path: ['tenants'] })
  .superRefine(({ tenants }, context) => {
    const issue = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    onlyOnce(Object.entries(tenants), ({ tenantId }) => tenantId).forEach((key) =>
      issue(['tenants', key, 'tenantId'], 'is used twice'),
    );
    for (const [key, { extensions, applications, clients }] of Object.entries(tenants)) {
      const at = ['tenants', key];
      onlyOnce(Object.entries(applications), ({ appId }) => appId).forEach((name) =>
        issue([...at, 'applications', name, 'appId'], 'is used twice'),
      );
      onlyOnce(Object.entries(clients), ({ clientId }) => clientId).forEach((name) =>
        issue([...at, 'clients', name, 'clientId'], 'is used twice'),
      );
      for (const [name, { extension: used, listenerId }] of Object.entries(applications)) {
        if (used === undefined) continue;
        if (!Object.hasOwn(extensions, used)) issue([...at, 'applications', name, 'extension'], 'is not one of the extensions');
        if (listenerId === undefined) issue([...at, 'applications', name, 'listenerId'], 'is needed where there is an extension');
      }
    }
  });

function onlyOnce<Entry>(entries: readonly [string, Entry][], idOf: (entry: Entry) => string): readonly string[] {
  const seen = new Set<string>();
  return entries.filter(([, entry]) => seen.size === seen.add(idOf(entry)).size).map(([key]) => key);
}

export type SimulatorDocument = z.input<typeof simulatorDocument>;
export type SimulatorConfiguration = z.output<typeof simulatorDocument>;
export type Tenant = SimulatorConfiguration['tenants'][string];
export type Extension = Tenant['extensions'][string];
export type Application = Tenant['applications'][string];
export type Client = Tenant['clients'][string];
export type User = Tenant['users'][string];

/** What the extension says about time, with Entra's defaults where it says null (1,000 ms, one retry). */
export function patienceOf(of: Extension): { readonly timeout: number; readonly retries: number } {
  return { timeout: of.timeoutInMilliseconds ?? timeouts.usual, retries: of.maximumRetries ?? 1 };
}

/** One part of a document that is not as it must be. The path is dotted; the reason never repeats the value. */
export interface DocumentIssue {
  readonly path: string;
  readonly reason: string;
}

/** The configuration cannot be used. Each issue is named with its path and reason, never with its value. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly code = 'configuration.invalid';
  readonly issues: readonly DocumentIssue[];

  constructor(issues: readonly DocumentIssue[], file?: string) {
    const where = file === undefined ? '' : `${file}: `;
    super(issues.map(({ path, reason }) => `${where}${path === '' ? '' : `${path}: `}${reason}`).join('\n'));
    this.issues = issues;
  }
}

/** What zod found, one issue for each unknown key. */
export function documentIssues(error: z.ZodError): readonly DocumentIssue[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: [...path, key].join('.'), reason: 'is not a known key' }));
    return [{ path: path.join('.'), reason: issue.message }];
  });
}

/**
 * Checks a configuration: a document, or the path of a YAML file that holds one. Unknown keys are refused at every level.
 * @throws ConfigurationError where the file cannot be read or the document is not as it must be
 */
export async function readConfiguration(from: SimulatorDocument | string): Promise<SimulatorConfiguration> {
  const file = typeof from === 'string' ? from : undefined;
  const parsed = simulatorDocument.safeParse(file === undefined ? from : await readYaml(file));
  if (!parsed.success) throw new ConfigurationError(documentIssues(parsed.error), file);
  return parsed.data;
}

async function readYaml(file: string): Promise<unknown> {
  try {
    return parse(await readFile(file, 'utf8'));
  } catch (error) {
    const line = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    const unread =
      error instanceof Error && 'code' in error && 'syscall' in error ? `cannot be read (${String(error.code)})` : undefined;
    throw new ConfigurationError(
      [{ path: '', reason: unread ?? `is not valid YAML${line === undefined ? '' : ` (line ${line})`}` }],
      file,
    );
  }
}

/** A GUID that is always the same for the same text: for ids that a real directory would have made up. */
export function derivedGuid(of: string): string {
  const hex = createHash('sha256').update(of).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
