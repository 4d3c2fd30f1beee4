import { Attributes, type AttributeValue } from '../attributes.js';
import type { ConfigurationIssue } from '../mapping/mapping-document.js';
import type { GivenAttributes, GivenDocument, TestDocument } from '../mapping/test-document.js';
import { ambiguous, found, notFound, unavailable, type Outcome } from '../outcome.js';
import type { AskedLookup, ClaimValue, Plan, PlannedLookup } from '../plan/plan.js';
import { Work } from '../plan/work.js';
import { Source, type ProbeResult } from '../ports/source.js';
import { Deadline } from '../resolve/deadline.js';
import type { ClaimExplanation, FailureCode, LookupAccount, Resolution } from '../resolve/resolution.js';
import { resolveClaims } from '../resolve/resolve-claims.js';
import { Turns } from '../turns.js';

/** What a test wants, or what came of it. Its data are the author's own: no person's. */
export type TestOutcome =
  /** By name; null: the claim is absent. */
  | { readonly kind: 'claims'; readonly claims: Readonly<Record<string, ClaimValue | null>> }
  /** No token. `claims` names the claims that made it fail. */
  | { readonly kind: 'fails'; readonly code: FailureCode; readonly claims?: readonly string[] };

export interface MappingTestResult {
  readonly name: string;
  readonly passed: boolean;
  readonly expected: TestOutcome;
  /** All claims that came of it, and as null those that were expected and did not. */
  readonly actual: TestOutcome;
  /** For a test that failed, a line for each difference: what it is and how it came about. */
  readonly why: readonly string[];
}

/**
 * Runs the tests that stand beside a mapping: `resolveClaims` itself, with sources that answer what the test gives them. A lookup to
 * which a test gives nothing finds nobody. Locate rules apply as at a sign-in: a person without the key is `notFound(noKey)`. Hash and
 * Pairwise use the stand-in key: what a test shows tells nothing about the operator's.
 */
export async function runMappingTests(plan: Plan, turns = new Turns()): Promise<readonly MappingTestResult[]> {
  using deadline = new Deadline(60_000);
  const trial = { work: workOfTrial(), deadline };
  const results: MappingTestResult[] = [];
  for (const test of plan.tests) {
    await turns.pause();
    const { expected, resolution, differences } = await run(plan, test, trial);
    const why = differences.map(({ what, values = '', account }) => `${what}${values}${account}`);
    results.push({ name: test.name, passed: why.length === 0, expected, actual: actualOf(expected, resolution), why });
  }
  return results;
}

/** The tests of a plan that fail, as reasons to refuse it. They reach logs, so they name claims and have no values. */
export async function redTests(plan: Plan, turns: Turns): Promise<readonly ConfigurationIssue[]> {
  using deadline = new Deadline(60_000);
  const trial = { work: workOfTrial(), deadline };
  const issues: ConfigurationIssue[] = [];
  for (const [index, test] of plan.tests.entries()) {
    await turns.pause();
    const { differences } = await run(plan, test, trial);
    if (differences.length === 0) continue;
    const why = differences.map(({ what, account }) => `${what}${account}`).join('; ');
    issues.push({
      path: ['tests', index],
      reason: `the test “${test.name}” is red: ${why}`,
      remedy: 'validate the document to see the values',
    });
  }
  return issues;
}

/** One thing in which a test came to something else. Joined, the parts are a sentence. */
interface TestDifference {
  readonly what: string;
  readonly values?: string;
  readonly account: string;
}

interface TestRun {
  readonly expected: TestOutcome;
  readonly resolution: Resolution;
  readonly differences: readonly TestDifference[];
}

/** What all tests of a mapping share. */
interface Trial {
  readonly work: Work;
  readonly deadline: Deadline;
}

/** Tests work on a few short values: all of them together may cost what ten answers may, however many there are. */
const workOfTrial = (): Work => Work.ofAnswers(10);

async function run(plan: Plan, test: TestDocument, { work, deadline }: Trial): Promise<TestRun> {
  const subject = test.subject ?? undefined;
  const given = { ...plan, lookups: plan.lookups.map((lookup) => withGiven(lookup, givenTo(test, lookup.alias))) };
  const { application = plan.applications[0] === '*' ? undefined : plan.applications[0], client, extension, protocol } = test;
  const call = { application, client, extension, protocol };
  const resolution = await resolveClaims(given, subject, deadline, {
    explain: 'names',
    call,
    standInKeys: true,
    work: work.answer(),
  });
  const expected: TestOutcome =
    test.fails === undefined ? { kind: 'claims', claims: test.expect! } : { kind: 'fails', code: test.fails };
  const defects = resolution.defects.map(({ claim, detail }) => ({
    what: `${claim} cannot be evaluated, by a defect of Claimbridge: ${detail}`,
    account: '',
  }));
  return { expected, resolution, differences: [...defects, ...differencesOf(expected, resolution)] };
}

function givenTo({ given }: TestDocument, alias: string): GivenDocument {
  return Object.hasOwn(given, alias) ? given[alias]! : 'notFound';
}

/** The lookup with a source that answers what the test says. */
function withGiven(lookup: PlannedLookup, given: GivenDocument): PlannedLookup {
  const { main, fallback } = outcomesOf(given);
  const answering = (asked: AskedLookup, outcome: Outcome): AskedLookup => ({
    ...asked,
    source: new GivenSource(asked, outcome),
  });
  return {
    ...lookup,
    source: new GivenSource(lookup, main),
    fallbacks: lookup.fallbacks.map((asked) => answering(asked, fallback)),
  };
}

function outcomesOf(given: GivenDocument): { readonly main: Outcome; readonly fallback: Outcome } {
  const down = unavailable('connection');
  if (given === 'notFound') return { main: notFound('noEntry'), fallback: down };
  if (given === 'ambiguous') return { main: ambiguous, fallback: down };
  if (given === 'unavailable') return { main: down, fallback: down };
  if (given.kind === 'found') return { main: found(attributesOf(given.attributes)), fallback: down };
  const { lastKnown, age, fallback } = given;
  return {
    main: lastKnown === undefined ? down : { ...down, lastKnown: { attributes: attributesOf(lastKnown), age: age! } },
    fallback: fallback === undefined ? down : fallback === 'notFound' ? notFound('noEntry') : found(attributesOf(fallback)),
  };
}

function attributesOf(given: GivenAttributes): Attributes {
  return new Attributes(
    Object.entries(given).map(([name, values]) => [
      name,
      [values].flat().map((value): AttributeValue => (typeof value === 'string' ? value : Buffer.from(value.base64, 'base64'))),
    ]),
  );
}

class GivenSource extends Source {
  override readonly name: string;
  override readonly lookups: Source['lookups'];

  constructor(
    asked: AskedLookup,
    private readonly outcome: Outcome,
  ) {
    super();
    this.name = asked.source.name;
    this.lookups = new Map([[asked.lookup, asked.description]]);
  }

  override fetch(): Promise<Outcome> {
    return Promise.resolve(this.outcome);
  }

  override probe(): Promise<ProbeResult> {
    return Promise.resolve({ kind: 'up' });
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}

function actualOf(expected: TestOutcome, resolution: Resolution): TestOutcome {
  if (resolution.kind === 'failed') return { kind: 'fails', code: resolution.code, claims: resolution.claims };
  const absent = expected.kind === 'claims' ? Object.keys(expected.claims).filter((name) => !resolution.claims.has(name)) : [];
  return {
    kind: 'claims',
    claims: { ...Object.fromEntries(resolution.claims), ...Object.fromEntries(absent.map((name) => [name, null])) },
  };
}

function differencesOf(expected: TestOutcome, resolution: Resolution): readonly TestDifference[] {
  if (expected.kind === 'fails') {
    if (resolution.kind !== 'failed') return [{ what: `does not fail with ${expected.code}`, account: '' }];
    if (resolution.code === expected.code) return [];
    const what = `fails with ${resolution.code} instead of ${expected.code}`;
    return [{ what, account: accountOf(resolution, resolution.claims) }];
  }
  if (resolution.kind === 'failed')
    return [{ what: `fails with ${resolution.code}`, account: accountOf(resolution, resolution.claims) }];
  return Object.entries(expected.claims).flatMap(([name, wanted]) => {
    const actual = resolution.claims.get(name) ?? null;
    if (JSON.stringify(actual) === JSON.stringify(wanted)) return [];
    const values = ` (${written(actual)} instead of ${written(wanted)})`;
    return [{ what: `${name} is not what was expected`, values, account: accountOf(resolution, [name]) }];
  });
}

function written(value: ClaimValue | null): string {
  return value === null ? 'absent' : JSON.stringify(value);
}

/** How the claims came about, in names only: `: department from person.department: omitted, missing; person was notFound(noKey)`. */
function accountOf({ explanation }: Resolution, names: readonly string[]): string {
  const claims = explanation!.claims.filter(({ claim }) => names.includes(claim));
  const said = claims.map(({ claim, from, result, why, steps }: ClaimExplanation) => {
    const path = [from, ...steps.slice(1).map(({ step, count }) => `${step} (${count})`)].join(' → ');
    return `${claim} from ${path}: ${result}${why === undefined ? '' : `, ${why}`}`;
  });
  const aliases = new Set(claims.map(({ from }) => from.split('.')[0]));
  const lookups = explanation!.lookups
    .filter(({ alias }) => aliases.has(alias))
    .map(({ alias, outcome, reason }: LookupAccount) => `${alias} was ${outcome}${reason === undefined ? '' : `(${reason})`}`);
  return `: ${[...said, ...lookups].join('; ')}`;
}
