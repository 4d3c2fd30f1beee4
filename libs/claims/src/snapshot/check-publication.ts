import { identifyDocument, type ConfigurationIssue } from '../mapping/mapping-document.js';
import type { CompileContext } from '../plan/compile-context.js';
import type { MappingKey } from '../ports/mapping-repository.js';
import type { StoredMapping } from '../ports/mapping-store.js';
import { redTests } from '../trial/run-mapping-tests.js';
import { MappingSnapshot } from './mapping-snapshot.js';

/**
 * What speaks against a publish: the document does not compile, or not beside the others of its tenant, or a test is red; for a claim
 * set also, that a mapping which includes it would no longer compile or has a red test. What was broken before and has nothing to do with
 * it does not stop it.
 *
 * @param inForce every document of the tenant as it would be in force, the candidate among them; without it, it was taken out of force
 * @param known what is compiled now: what did not change is not compiled again, and what is broken already is told from what would be
 */
export async function checkPublication(
  inForce: readonly StoredMapping[],
  key: MappingKey,
  context: CompileContext,
  known = MappingSnapshot.empty,
): Promise<readonly ConfigurationIssue[]> {
  const candidate = inForce.find((document) => isDocument(document, key));
  const others = inForce.filter((document) => document !== candidate);
  // The last one is told of a clash.
  const snapshot = MappingSnapshot.compile(candidate ? [...others, candidate] : others, context, known);
  const own = candidate ? await issuesOf(candidate, snapshot) : [];
  if (own.length > 0) return own;
  const including = others.filter(({ content }) => content.kind === 'document' && includes(content.document, key));
  const broken = await Promise.all(
    including.map(async (document) => {
      const issues = await issuesOf(document, snapshot);
      return issues.length === 0 || isBroken(document, known)
        ? []
        : issues.map((issue) => ({ document: nameOf(document), ...issue }));
    }),
  );
  return broken.flat();
}

async function issuesOf(document: StoredMapping, snapshot: MappingSnapshot): Promise<readonly ConfigurationIssue[]> {
  const problem = snapshot.problems.find(({ origin }) => origin === document.origin);
  if (problem) return problem.issues;
  const plan = snapshot.planOf(document.origin) ?? snapshot.claimSet(document.origin)?.plan;
  return plan === undefined ? [] : redTests(plan);
}

/** Whether it is refused as things are. */
function isBroken({ origin }: StoredMapping, known: MappingSnapshot): boolean {
  return known.problems.some((problem) => problem.origin === origin);
}

function isDocument({ content }: StoredMapping, { tenant, name }: MappingKey): boolean {
  const identity = identifyDocument(content.kind === 'document' ? content.document : undefined);
  return identity.tenant === tenant && identity.name === name;
}

function includes(document: unknown, { tenant, name }: MappingKey): boolean {
  const identity = identifyDocument(document);
  return identity.tenant === tenant && identity.include.includes(name);
}

function nameOf({ origin, content }: StoredMapping): string {
  return identifyDocument(content.kind === 'document' ? content.document : undefined).name ?? origin;
}
