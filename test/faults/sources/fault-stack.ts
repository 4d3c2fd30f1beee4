import { setTimeout as wait } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { HttpResponder, ReceivedRequest, TcpProxy } from '#testing';
import { adele, eventFor } from '../../e2e/event.js';
import { startStack, type Answer, type Document, type Stack } from '../../e2e/stack.js';

/** A system behind a proxy, and how a mapping asks it about Adele. */
export interface FaultySystem {
  readonly lookup: object;
  /** The table that answers the same question. */
  readonly fallback: string;
  readonly attribute: string;
  readonly value: string;
  readonly proxy: (stack: Stack) => TcpProxy;
}

export const systems: Readonly<Record<string, FaultySystem>> = {
  PostgreSQL: {
    lookup: { use: 'billing-db.tier-by-upn', with: { upn: 'subject.onPremisesUserPrincipalName' } },
    fallback: 'tables.by-upn',
    attribute: 'tier',
    value: 'gold',
    proxy: ({ databaseProxy }) => databaseProxy,
  },
  LDAP: {
    lookup: { use: 'corp-ad.user' },
    fallback: 'tables.located',
    attribute: 'department',
    value: 'Finance',
    proxy: ({ directoryProxy }) => directoryProxy,
  },
  HTTP: {
    lookup: { use: 'hr-api.employee' },
    fallback: 'tables.located',
    attribute: 'costCenter',
    value: '4711',
    proxy: ({ apiProxy }) => apiProxy!,
  },
};

const fromTable = 'from the table';
const nickname = (value: string): string => `called ${value}`;
const failed = '503 claims.unavailable';

/** What a mapping says about the claim `c`, and what it then is. */
export interface FaultPolicy {
  readonly claim: object;
  /** Of the lookup `it`. */
  readonly keeps?: true;
  readonly fallsBack?: true;
  /** The claim is of a second lookup, whose key is the first one's value. */
  readonly twoHops?: true;
  readonly whileWell: (value: string) => string;
  readonly whileIll: (value: string) => string;
}

const itself = (value: string): string => value;
const stale = { stale: '1h', then: 'fail' };

export const policies: Readonly<Record<string, FaultPolicy>> = {
  fail: { claim: { whenUnavailable: 'fail' }, whileWell: itself, whileIll: () => failed },
  omit: { claim: { whenUnavailable: 'omit' }, whileWell: itself, whileIll: () => 'omitted' },
  default: { claim: { whenUnavailable: { default: 'by default' } }, whileWell: itself, whileIll: () => 'by default' },
  stale: { claim: { whenUnavailable: stale }, keeps: true, whileWell: itself, whileIll: itself },
  fallback: { claim: { acceptDegraded: true }, fallsBack: true, whileWell: itself, whileIll: () => fromTable },
  'two hops, stale': {
    claim: { whenUnavailable: stale },
    keeps: true,
    twoHops: true,
    whileWell: nickname,
    whileIll: nickname,
  },
  'two hops, fail': { claim: {}, twoHops: true, whileWell: nickname, whileIll: () => failed },
};

const systemNames = Object.keys(systems);
const policyNames = Object.keys(policies);

/** The application whose one claim comes from this system by this policy. */
export function applicationOf(system: string, policy: string): string {
  const number = systemNames.indexOf(system) * 16 + policyNames.indexOf(policy);
  return `00000000-0000-4000-8000-0000000000${number.toString(16).padStart(2, '0')}`;
}

/** The application whose claims need no source. */
export const constantApplication = '00000000-0000-4000-8000-0000000000ff';

function mapping(system: string, policy: string): Document {
  const { lookup, fallback, attribute } = systems[system]!;
  const { claim, keeps, fallsBack, twoHops } = policies[policy]!;
  const keeping = keeps && { keepLastKnown: '1h' };
  return {
    name: `${system}-${policy}`.toLowerCase().replaceAll(/[^a-z]+/g, '-'),
    tenant: 'contoso',
    applications: [applicationOf(system, policy)],
    lookups: {
      it: { ...lookup, ...keeping, ...(fallsBack && { fallback: [fallback] }) },
      ...(twoHops && { more: { use: 'tables.nickname', with: { key: `it.${attribute}` }, ...keeping } }),
    },
    claims: { c: { from: twoHops ? 'more.nickname' : `it.${attribute}`, ...claim } },
  };
}

function mappings(): Record<string, string> {
  const constant = {
    name: 'constant',
    tenant: 'contoso',
    applications: [constantApplication],
    claims: { c: { value: 'constant' } },
  };
  const documents = [...systemNames.flatMap((system) => policyNames.map((policy) => mapping(system, policy))), constant];
  return Object.fromEntries(documents.map((document) => [`${document['name']}.yaml`, stringify(document)]));
}

const tables = {
  type: 'static',
  tenants: ['contoso'],
  records: Object.values(systems).map(({ value }, index) => ({
    upn: index === 0 ? adele.onPremisesUserPrincipalName : `nobody${index}@corp.example`,
    ...Object.fromEntries(Object.values(systems).map(({ attribute }) => [attribute, fromTable])),
    key: value,
    nickname: nickname(value),
  })),
  lookups: {
    'by-upn': { parameters: ['upn'], match: { upn: 'upn' } },
    located: { locate: [{ key: 'onPremisesUserPrincipalName', column: 'upn' }] },
    nickname: { parameters: ['key'], match: { key: 'key' } },
  },
};

/** The API with its token endpoint as they should be. Tokens live for a second. */
export const wellApi: HttpResponder = ({ target, headers }: ReceivedRequest) => {
  if (target === '/token') return { body: { access_token: 'token', token_type: 'Bearer', expires_in: 1 } };
  if (target === '/') return { status: 404 };
  if (headers['authorization'] !== 'Bearer token') return { status: 401 };
  const upn = new URL(target, 'http://hr.example').searchParams.get('upn');
  return upn === adele.onPremisesUserPrincipalName ? { body: { costCenter: systems['HTTP']!.value } } : { status: 404 };
};

/** The service with a deadline of 1.2 s and sources that may work for 500 ms; probed, and tried again, five times a second. */
export function startFaultStack(
  more: (document: Document) => void = () => undefined,
  variables: Readonly<Record<string, string>> = {},
  directoryPort?: number,
): Promise<Stack> {
  return startStack({
    ...(directoryPort !== undefined && { directoryPort }),
    mappings: mappings(),
    api: wellApi,
    variables: { ...variables, HR_SECRET: 'secret' },
    configure: (document) => {
      const { sources } = document;
      document['entra'] = { timeout: '1500ms', edgeAllowance: '300ms' };
      document['probes'] = { interval: '200ms', timeout: '200ms' };
      sources['tables'] = tables;
      Object.assign(sources['hr-api'], {
        auth: {
          type: 'clientCredentials',
          tokenUrl: `${sources['hr-api'].url}/token`,
          clientId: 'claimbridge',
          clientSecret: 'env:HR_SECRET',
        },
        lookups: {
          employee: {
            locate: [{ key: 'onPremisesUserPrincipalName', request: { path: '/employees', query: { upn: '{value}' } } }],
            attributes: { costCenter: '/costCenter' },
          },
        },
      });
      for (const name of ['corp-ad', 'billing-db', 'hr-api'])
        Object.assign(sources[name], {
          limits: { operation: '500ms', connect: '300ms', ...(name !== 'corp-ad' && { concurrency: 10 }) },
          breaker: { failures: 5, retryAfter: '200ms' },
        });
      more(document);
    },
  });
}

/** What an application got: the claim's value, nothing, or the code of the problem; and how long it took at the caller. */
export interface Told {
  readonly said: string;
  readonly ms: number;
}

export async function ask(stack: Stack, application: string, user: Document = adele): Promise<Told> {
  const started = performance.now();
  const answer = await stack.post(JSON.stringify(eventFor(application, user)));
  return { said: said(answer), ms: performance.now() - started };
}

/** Far beyond the deadline, and far before the end of work that may take a minute: a slow machine does not mistake one for the other. */
const longAfterTheDeadline = 20_000;

/** @throws Error where the answer does not come until long after the deadline */
export async function beforeLong<Result>(answer: Promise<Result>): Promise<Result> {
  const over = new AbortController();
  const marker = wait(longAfterTheDeadline, 'too late' as const, { signal: over.signal });
  marker.catch(() => undefined);
  try {
    const first = await Promise.race([answer, marker]);
    if (first === 'too late') throw new Error(`no answer ${longAfterTheDeadline} ms later, whatever the deadline is`);
    return first;
  } finally {
    over.abort();
  }
}

function said({ status, json }: Answer): string {
  if (status !== 200) return `${status} ${json?.code}`;
  return json.data.actions[0].claims.c ?? 'omitted';
}

/** Every application of the system, as it should be without a fault. */
export async function allWell(stack: Stack, system: string): Promise<boolean> {
  const { value } = systems[system]!;
  const told = await Promise.all(
    Object.entries(policies).map(async ([policy, { whileWell }]) => {
      const { said: word } = await ask(stack, applicationOf(system, policy));
      return word === whileWell(value);
    }),
  );
  return told.every(Boolean);
}

/** The sum of a gauge of the service over the series whose labels have this text. */
export async function gauge(stack: Stack, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`${stack.managementUrl}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^${name}(\\{[^}]*\\})? (\\S+)$`, 'gm'))]
    .filter(([, series = '']) => series.includes(labels))
    .reduce((sum, [, , value]) => sum + Number(value), 0);
}

/** Median, 99th percentile and longest, in milliseconds. */
export function spread(times: readonly number[]): string {
  const sorted = times.toSorted((left, right) => left - right);
  const at = (part: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!);
  return `${sorted.length} answers, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`;
}
