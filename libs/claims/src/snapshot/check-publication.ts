import { identifyDocument, type ConfigurationIssue } from '../mapping/mapping-document.js';
import type { CompileContext } from '../plan/compile-context.js';
import type { MappingKey } from '../ports/mapping-repository.js';
import type { StoredMapping } from '../ports/mapping-store.js';
import { redTests } from '../trial/run-mapping-tests.js';
import { identityOf, isOfIdentity } from './judge-documents.js';
import { MappingSnapshot } from './mapping-snapshot.js';
import { Turns } from '../turns.js';

/**
 * What speaks against a publish: the document does not compile, or not beside the others of its tenant, or a test is red; for a claim
 * set also, that a mapping which includes it would no longer compile or has a red test. What was broken before and has nothing to do with
 * it does not stop it. However many mappings there are, sign-ins have their turn meanwhile.
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
  const turns = new Turns();
  const [others, including]: [StoredMapping[], StoredMapping[]] = [[], []];
  let candidate: StoredMapping | undefined;
  for (const document of inForce) {
    await turns.pause();
    if (candidate === undefined && isDocument(document, key)) candidate = document;
    else {
      others.push(document);
      if (document.content.kind === 'document' && includes(document.content.document, key)) including.push(document);
    }
  }
  // The last one is told of a clash.
  const snapshot = await MappingSnapshot.compileInTurns(candidate ? [...others, candidate] : others, context, known, turns);
  const problems = new Map(snapshot.problems.map(({ origin, issues }) => [origin, issues]));
  const issuesOf = (document: StoredMapping): readonly ConfigurationIssue[] | Promise<readonly ConfigurationIssue[]> => {
    const plan = snapshot.testedPlanOf(document.origin);
    return problems.get(document.origin) ?? (plan === undefined ? [] : redTests(plan, turns));
  };
  const own = candidate ? await issuesOf(candidate) : [];
  if (own.length > 0) return own;
  const brokenAlready = new Set(known.problems.map(({ origin }) => origin));
  const broken: ConfigurationIssue[] = [];
  for (const document of including) {
    if (brokenAlready.has(document.origin)) continue;
    await turns.pause();
    for (const issue of await issuesOf(document)) broken.push({ document: nameOf(document), ...issue });
    if (broken.length >= maximumIssues) break;
  }
  return broken;
}

/**
 * What would speak against a publish of a document that is not stored: `checkPublication` as if it were in force instead of the one of its
 * name, beside everything else of its tenant that is.
 *
 * @param known what is in force
 */
export async function checkCandidate(
  candidate: StoredMapping,
  key: MappingKey,
  context: CompileContext,
  known: MappingSnapshot,
): Promise<readonly ConfigurationIssue[]> {
  const identity = identityOf(candidate);
  const turns = new Turns();
  const inForce = [candidate];
  for (const document of known.documents) {
    await turns.pause();
    if (identityOf(document).tenant === key.tenant && !isOfIdentity(document, candidate.origin, identity)) inForce.push(document);
  }
  return checkPublication(inForce, key, context, known);
}

/** So many say enough: of a claim set that thousands of mappings include, a publish is not refused by thousands of reasons. */
const maximumIssues = 100;

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
