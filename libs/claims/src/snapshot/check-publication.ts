import type { ConfigurationIssue } from '../mapping/mapping-document.js';
import type { CompileContext } from '../plan/compile-mapping.js';
import type { MappingKey } from '../ports/mapping-repository.js';
import type { StoredMapping } from '../ports/mapping-store.js';
import { runMappingTests } from '../trial/run-mapping-tests.js';
import { MappingSnapshot } from './mapping-snapshot.js';

/**
 * What speaks against a publish: the document does not compile, or not beside the others of its tenant, or a test is red.
 *
 * @param inForce every document of the tenant as it would be in force, the candidate among them; without it, it was deleted
 */
export async function checkPublication(
  inForce: readonly StoredMapping[],
  key: MappingKey,
  context: CompileContext,
): Promise<readonly ConfigurationIssue[]> {
  const candidate = inForce.find((mapping) => isDocument(mapping, key));
  if (candidate === undefined) return [];
  const others = inForce.filter((mapping) => mapping !== candidate);
  const snapshot = MappingSnapshot.compile([...others, candidate], context);
  const problem = snapshot.problems.find(({ origin }) => origin === candidate.origin);
  if (problem) return problem.issues;
  const plan = snapshot.planOf(candidate.origin);
  const results = plan === undefined ? [] : await runMappingTests(plan);
  return results.flatMap(({ name, passed, why }, index) =>
    passed ? [] : [{ path: ['tests', index], reason: `the test “${name}” is red: ${why.join('; ')}` }],
  );
}

function isDocument({ content }: StoredMapping, { tenant, name }: MappingKey): boolean {
  if (content.kind !== 'document' || typeof content.document !== 'object' || content.document === null) return false;
  const document = content.document as Readonly<Record<string, unknown>>;
  return document['tenant'] === tenant && document['name'] === name;
}
