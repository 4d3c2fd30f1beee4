import type { AdminClient } from '../api/admin-client.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import type { Output } from '../output.js';
import { clockFinding, healthFindings, sourceFinding, type Finding, type HealthReport, type TestedSource } from './findings.js';

/** Looks at all that sign-ins depend on: readiness, clock, keys, store, snapshot, and each source's TLS and credentials. */
export async function doctor(api: AdminClient, output: Output): Promise<ExitCode> {
  const { body, date } = await api.call('GET', '/admin/health');
  const clock = clockFinding('clock', date, new Date());
  const names = ((await api.call('GET', '/admin/v1/sources')).body.items as readonly { readonly name: string }[]).map(
    ({ name }) => name,
  );
  const sources = await Promise.all(names.map((name) => testSource(api, name)));
  const findings = [...healthFindings(body as HealthReport), clock, ...sources];
  output.result({ findings }, () => describe(output, findings));
  return findings.some(({ state }) => state === 'failed') ? exitCodes.findings : exitCodes.ok;
}

async function testSource(api: AdminClient, name: string): Promise<Finding> {
  const { body } = await api.call('POST', `/admin/v1/sources/${encodeURIComponent(name)}/test`);
  return sourceFinding({ name, ...(body as Omit<TestedSource, 'name'>) });
}

function describe(output: Output, findings: readonly Finding[]): readonly string[] {
  const sign = { ok: output.good('✓'), warning: '!', failed: output.bad('✗') };
  const failed = findings.filter(({ state }) => state === 'failed').length;
  return [
    ...findings.flatMap(({ check, state, detail, remedy }) => [
      `${sign[state]} ${check}: ${detail}`,
      ...(remedy === undefined ? [] : [`    ${remedy}`]),
    ]),
    failed === 0 ? output.good('nothing failed') : output.bad(`${failed} failed`),
  ];
}
