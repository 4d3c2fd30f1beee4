export { Attributes, type AttributeValue } from './attributes.js';
export {
  diffMappings,
  type Difference,
  type DifferenceKind,
  type MappingDiff,
  type PartDifference,
} from './diff/diff-mappings.js';
export { duration } from './duration.js';
export {
  configurationIssues,
  identifyDocument,
  mappingJsonSchema,
  type ConfigurationIssue,
  type DocumentIdentity,
} from './mapping/mapping-document.js';
export { configurationName, guid } from './mapping/names.js';
export { revisionOf } from './mapping/revision.js';
export {
  ambiguous,
  found,
  notFound,
  unavailable,
  type Ambiguous,
  type Found,
  type LastKnown,
  type NotFound,
  type NotFoundReason,
  type Outcome,
  type Unavailable,
  type UnavailableReason,
} from './outcome.js';
export { askThrough } from './plan/ask-through.js';
export { restrictionsOf } from './plan/claim-names.js';
export type { ClaimSets, CompileContext, CompiledClaimSet, RegisteredSource } from './plan/compile-context.js';
export {
  compileClaimSet,
  compileDocument,
  compileMapping,
  type ClaimSetResult,
  type CompileResult,
} from './plan/compile-mapping.js';
export { sidText } from './plan/formats.js';
export type { ClaimValue, Plan, PlannedLookup } from './plan/plan.js';
export {
  MappingRepository,
  type Actor,
  type AuditEntry,
  type AuditFilter,
  type AuditPage,
  type Answer,
  type Change,
  type Changed,
  type Conflict,
  type MappingDraft,
  type MappingFilter,
  type MappingKey,
  type MappingPage,
  type MappingRecord,
  type MappingRevision,
  type Publication,
  type PublishCheck,
  type RepositoryUnavailable,
  type Unknown,
} from './ports/mapping-repository.js';
export { MappingStore, type Following, type LoadedMappings, type StoredMapping } from './ports/mapping-store.js';
export { Secrets, standInSecret, type RegisteredSecret } from './ports/secrets.js';
export {
  Source,
  type Keeping,
  type LocateRule,
  type LookupDescription,
  type LookupQuery,
  type ProbeResult,
} from './ports/source.js';
export { Deadline } from './resolve/deadline.js';
export { claimBytes, maximumClaimBytes } from './resolve/limit.js';
export { resolveClaims } from './resolve/resolve-claims.js';
export type {
  ClaimDefect,
  ClaimDeviation,
  ClaimExplanation,
  ClaimStep,
  Explanation,
  FailureCode,
  LookupAccount,
  Resolution,
  ResolveOptions,
} from './resolve/resolution.js';
export { estimateSize, type ClaimSize, type SizeEstimate } from './size/estimate-size.js';
export { checkCandidate, checkPublication } from './snapshot/check-publication.js';
export type { MappingProblem } from './snapshot/judge-documents.js';
export { MappingSnapshot, type Selection, type Selector } from './snapshot/mapping-snapshot.js';
export type { SubjectTest, SubjectTests } from './subject-test.js';
export { subjectProperties, unverifiedProperties, type Subject, type SubjectProperty } from './subject.js';
export { runMappingTests, type MappingTestResult, type TestOutcome } from './trial/run-mapping-tests.js';
export { mappingLanguageReference } from './reference/language-reference.js';
export { conditionReference, transformReference } from './reference/transform-reference.js';
