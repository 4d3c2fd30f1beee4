import { AdminProblem, type AdminClient } from '../api/admin-client.js';
import { printable, type Output } from '../output.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import {
  clockFinding,
  healthFindings,
  sourceFinding,
  untestedFinding,
  type Finding,
  type HealthReport,
  type ListedSource,
  type TestedSource,
} from './findings.js';

/** Looks at all that sign-ins depend on: readiness, clock, keys, store, snapshot, and each source's TLS and credentials. */
export async function doctor(api: AdminClient, output: Output): Promise<ExitCode> {
  const { body, date } = await api.call('GET', '/admin/health');
  const clock = clockFinding('clock', date, new Date());
  const listed = (await api.call('GET', '/admin/v1/sources')).body.items as readonly ListedSource[];
  const sources = await Promise.all(listed.map((source) => testSource(api, source)));
  const findings = [...healthFindings(body as HealthReport), clock, ...sources];
  output.result({ findings }, () => describe(output, findings));
  return findings.some(({ state }) => state === 'failed') ? exitCodes.findings : exitCodes.ok;
}

/** Where a source cannot be tested now, what the service itself knows of it has to do. */
async function testSource(api: AdminClient, { name, transport, health }: ListedSource): Promise<Finding> {
  try {
    const { body } = await api.call('POST', `/admin/v1/sources/${encodeURIComponent(name)}/test`);
    return sourceFinding({
      name,
      ...(transport && { transport }),
      ...(body as Pick<TestedSource, 'result' | 'reason' | 'ms'>),
    });
  } catch (error) {
    if (!(error instanceof AdminProblem)) throw error;
    return untestedFinding(name, health, error.problem.code ?? String(error.problem.status));
  }
}

function describe(output: Output, findings: readonly Finding[]): readonly string[] {
  const sign = { ok: output.good('✓'), warning: '!', failed: output.bad('✗') };
  const failed = findings.filter(({ state }) => state === 'failed').length;
  return [
    ...findings.flatMap(({ check, state, detail, remedy }) => [
      `${sign[state]} ${printable(`${check}: ${detail}`)}`,
      ...(remedy === undefined ? [] : [`    ${remedy}`]),
    ]),
    failed === 0 ? output.good('nothing failed') : output.bad(`${failed} failed`),
  ];
}
