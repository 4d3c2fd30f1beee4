import { stringify } from 'yaml';
import type { TcpProxy } from '#testing';
import { adele, eventFor } from '../../e2e/event.js';
import { startStack, type Answer, type Document, type Stack } from '../../e2e/stack.js';

/** A system behind a proxy, and how a mapping asks it about Adele. */
export interface FaultySystem {
  readonly lookup: object;
  readonly from: string;
  readonly value: string;
  readonly proxy: (stack: Stack) => TcpProxy;
}

export const systems: Readonly<Record<string, FaultySystem>> = {
  PostgreSQL: {
    lookup: { use: 'billing-db.tier-by-upn', with: { upn: 'subject.onPremisesUserPrincipalName' } },
    from: 'it.tier',
    value: 'gold',
    proxy: ({ databaseProxy }) => databaseProxy,
  },
  LDAP: {
    lookup: { use: 'corp-ad.user' },
    from: 'it.department',
    value: 'Finance',
    proxy: ({ directoryProxy }) => directoryProxy,
  },
};

export const policies: Readonly<Record<string, unknown>> = {
  fail: 'fail',
  omit: 'omit',
  default: { default: 'fallback' },
  stale: { stale: '1h', then: 'fail' },
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

function mappings(): Record<string, string> {
  const documents: Document[] = systemNames.flatMap((system) =>
    policyNames.map((policy) => ({
      name: `${system.toLowerCase()}-${policy}`,
      tenant: 'contoso',
      applications: [applicationOf(system, policy)],
      lookups: { it: { ...systems[system]!.lookup, ...(policy === 'stale' && { keepLastKnown: '1h' }) } },
      claims: { c: { from: systems[system]!.from, whenUnavailable: policies[policy] } },
    })),
  );
  documents.push({
    name: 'constant',
    tenant: 'contoso',
    applications: [constantApplication],
    claims: { c: { value: 'constant' } },
  });
  return Object.fromEntries(documents.map((document) => [`${document['name']}.yaml`, stringify(document)]));
}

/** The service with a deadline of 1.2 s and sources that may work for 500 ms; probed, and tried again, five times a second. */
export function startFaultStack(more: (document: Document) => void = () => undefined): Promise<Stack> {
  return startStack({
    mappings: mappings(),
    configure: (document) => {
      document['entra'] = { timeout: '1500ms', edgeAllowance: '300ms' };
      document['probes'] = { interval: '200ms', timeout: '200ms' };
      for (const name of ['corp-ad', 'billing-db'])
        Object.assign(document['sources'][name], {
          limits: { operation: '500ms', connect: '300ms', ...(name === 'billing-db' && { concurrency: 10 }) },
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

function said({ status, json }: Answer): string {
  if (status !== 200) return `${status} ${json?.code}`;
  return json.data.actions[0].claims.c ?? 'omitted';
}

/** Median, 99th percentile and longest, in milliseconds. */
export function spread(times: readonly number[]): string {
  const sorted = times.toSorted((left, right) => left - right);
  const at = (part: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!);
  return `${sorted.length} answers, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`;
}
