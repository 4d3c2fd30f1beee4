import {
  MappingSnapshot,
  estimateSize,
  runMappingTests,
  type CompileContext,
  type ConfigurationIssue,
  type MappingProblem,
  type MappingTestResult,
  type SizeEstimate,
  type StoredMapping,
} from '#claims';

/** What is to be said of one document. */
export interface Examined {
  readonly origin: string;
  /** Why it is refused; empty where it compiles beside the others. */
  readonly issues: MappingProblem['issues'];
  /** What its author should know; it refuses nothing. */
  readonly warnings: readonly ConfigurationIssue[];
  readonly tests: readonly MappingTestResult[];
  /** How large its answers can be; absent where it does not compile. */
  readonly size?: SizeEstimate;
}

/** Compiles documents beside each other, as the service does, and runs the tests that stand beside them. */
export async function examine(documents: readonly StoredMapping[], context: CompileContext): Promise<readonly Examined[]> {
  const snapshot = MappingSnapshot.compile(documents, context);
  return Promise.all(
    documents.map(async ({ origin }): Promise<Examined> => {
      const issues = snapshot.problems.find((problem) => problem.origin === origin)?.issues ?? [];
      const warnings = snapshot.warningsOf(origin);
      const plan = snapshot.testedPlanOf(origin);
      if (plan === undefined) return { origin, issues, warnings, tests: [] };
      return { origin, issues, warnings, tests: await runMappingTests(plan), size: estimateSize(plan) };
    }),
  );
}
