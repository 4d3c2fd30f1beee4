export { Attributes, type AttributeValue } from './attributes.js';
export { duration } from './duration.js';
export {
  ambiguous,
  found,
  notFound,
  unavailable,
  type Ambiguous,
  type Found,
  type NotFound,
  type NotFoundReason,
  type Outcome,
  type Unavailable,
  type UnavailableReason,
} from './outcome.js';
export { Secrets } from './ports/secrets.js';
export { Source, type LocateRule, type LookupDescription, type LookupQuery, type ProbeResult } from './ports/source.js';
export { subjectProperties, unverifiedProperties, type Subject, type SubjectProperty } from './subject.js';
