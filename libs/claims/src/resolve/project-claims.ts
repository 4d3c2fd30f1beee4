import type { AttributeValue } from '../attributes.js';
import type { Verdict } from '../condition/condition.js';
import type { Call } from '../condition/frame.js';
import { describeDefect } from '../defect.js';
import type { ClaimValue, Origin, Plan, PlannedClaim, Policy } from '../plan/plan.js';
import { NotTransformable, type TransformScope } from '../plan/transform.js';
import { TooMuchWork, Work } from '../plan/work.js';
import { standInKey, type RegisteredSecret } from '../ports/secrets.js';
import type { Subject } from '../subject.js';
import { limitClaims } from './limit.js';
import { valueOf, type Acceptance, type Settled, type Value } from './settled-lookups.js';
import type { ClaimDefect, ClaimDeviation, ClaimExplanation, ClaimStep, FailureCode, ResolveOptions } from './resolution.js';

export type Projection = {
  readonly deviations: readonly ClaimDeviation[];
  readonly defects: readonly ClaimDefect[];
  /** Empty unless it was asked for. */
  readonly explanations: readonly ClaimExplanation[];
} & (
  | { readonly kind: 'resolved'; readonly claims: ReadonlyMap<string, ClaimValue> }
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly claims: readonly string[] }
);

/** From the ends of the lookups to the claims: transforms, policies, the size limit. */
export function projectClaims(
  plan: Plan,
  subject: Subject | undefined,
  settled: ReadonlyMap<string, Settled>,
  options: ResolveOptions,
): Projection {
  const { explain } = options;
  const keyOf = options.standInKeys ? () => standInKey : (secret: RegisteredSecret) => secret.value();
  const reader = { subject, settled, call: callOf(plan, options), keyOf };
  const { work = Work.ofAnswer() } = options;
  const claims = new Map<string, ClaimValue>();
  const deviations: ClaimDeviation[] = [];
  const defects: ClaimDefect[] = [];
  const explanations = new Map<string, ClaimExplanation>();
  const failed = { unavailable: [] as string[], missing: [] as string[] };

  for (const claim of plan.claims) {
    const { name } = claim;
    const steps: ClaimStep[] = [];
    const trace = explain && ((step: string, values: readonly AttributeValue[]) => steps.push(stepOf(step, values, explain)));
    const { evaluated, when, defect } = evaluateContained(claim, { ...reader, work: work.claim() }, trace);
    if (defect !== undefined) defects.push({ claim: name, detail: defect });
    const treated = treat(claim, evaluated);
    if (treated.value !== undefined) claims.set(name, treated.value);
    if (treated.result === 'failed') failed[treated.why].push(name);
    else if (treated.result !== 'value' && treated.why !== 'condition')
      deviations.push({ claim: name, why: treated.why, treatment: treated.result });
    if (explain) {
      const { result } = treated;
      explanations.set(name, {
        claim: name,
        from: fromText(claim),
        steps,
        result,
        ...(result !== 'value' && { why: treated.why }),
        ...(when && { when }),
      });
    }
  }
  const ended = (): Pick<Projection, 'deviations' | 'defects' | 'explanations'> => ({
    deviations,
    defects,
    explanations: [...explanations.values()],
  });

  for (const why of ['unavailable', 'missing'] as const)
    if (failed[why].length > 0) return { kind: 'failed', code: `claims.${why}`, claims: failed[why], ...ended() };

  const limited = limitClaims(claims, plan.droppable);
  if (limited.kind === 'tooLarge') return { kind: 'failed', code: 'claims.tooLarge', claims: [], ...ended() };
  for (const claim of limited.dropped) {
    deviations.push({ claim, why: 'tooLarge', treatment: 'omitted' });
    const explanation = explanations.get(claim);
    if (explanation) explanations.set(claim, { ...explanation, result: 'omitted', why: 'tooLarge' });
  }
  return { kind: 'resolved', claims: limited.claims, ...ended() };
}

type Evaluated =
  | { readonly kind: 'value'; readonly value: ClaimValue; readonly by?: 'stale' | 'degraded' }
  | { readonly kind: 'missing' }
  /** The condition is not fulfilled: the claim is not for this person. */
  | { readonly kind: 'condition' }
  /** The source is unavailable, or it gave what a text claim cannot hold: several values, or bytes. */
  | { readonly kind: 'unavailable' };

type Treated =
  | { readonly result: 'value'; readonly value: ClaimValue }
  | { readonly result: 'stale' | 'degraded' | 'defaulted'; readonly value: ClaimValue; readonly why: 'unavailable' | 'missing' }
  | { readonly result: 'omitted'; readonly value?: undefined; readonly why: 'condition' }
  | { readonly result: 'omitted' | 'failed'; readonly value?: undefined; readonly why: 'unavailable' | 'missing' };

function treat(claim: PlannedClaim, evaluated: Evaluated): Treated {
  if (evaluated.kind === 'value') {
    const { value, by } = evaluated;
    return by ? { result: by, value, why: 'unavailable' } : { result: 'value', value };
  }
  const why = evaluated.kind;
  if (why === 'condition') return { result: 'omitted', why };
  const policy: Policy = why === 'unavailable' ? claim.whenUnavailable : claim.whenMissing;
  if (policy === 'fail') return { result: 'failed', why };
  if (policy === 'omit') return { result: 'omitted', why };
  return { result: 'defaulted', value: policy.default, why };
}

type Trace = (step: string, values: readonly AttributeValue[]) => void;

/** What a claim reads from. */
interface Reader {
  readonly subject: Subject | undefined;
  readonly settled: ReadonlyMap<string, Settled>;
  readonly call: Call;
  readonly keyOf: TransformScope['keyOf'];
  readonly work: Work;
}

function callOf({ tenant, applications }: Plan, { call }: ResolveOptions): Call {
  if (call) return { tenant, ...call };
  const [only, ...others] = applications;
  return only === '*' || others.length > 0 ? { tenant } : { tenant, application: only };
}

interface Evaluation {
  readonly evaluated: Evaluated;
  readonly when?: Verdict;
}

/** A defect stays with its claim: the claim is unavailable, and what its policy says then decides. */
function evaluateContained(...[claim, reader, trace]: Parameters<typeof evaluate>): Evaluation & { readonly defect?: string } {
  try {
    return evaluate(claim, reader, trace);
  } catch (error) {
    return { evaluated: { kind: 'unavailable' }, defect: describeDefect(error) };
  }
}

/**
 * The condition comes first: a claim that is not for this person fails nobody. Whatever a claim reads, in its condition, its value and its
 * transforms, it reads by its own acceptance, and one unavailable input makes it unavailable.
 */
function evaluate(claim: PlannedClaim, reader: Reader, trace: Trace | undefined): Evaluation {
  if (claim.when === undefined) return { evaluated: evaluateValue(claim, reader, trace) };
  const inputs = inputsOf(claim, claim.when.origins, reader);
  const when = inputs === undefined ? 'unavailable' : claim.when.condition.evaluate(inputs.values, reader.call, reader.work);
  if (when === 'unavailable') return { when, evaluated: { kind: 'unavailable' } };
  if (when !== 'holds') return { when, evaluated: { kind: 'condition' } };
  const evaluated = evaluateValue(claim, reader, trace);
  if (evaluated.kind !== 'value' || inputs!.by === undefined) return { when, evaluated };
  return { when, evaluated: { ...evaluated, by: evaluated.by ?? inputs!.by } };
}

function evaluateValue(claim: PlannedClaim, reader: Reader, trace: Trace | undefined): Evaluated {
  const { from, operands, transforms } = claim;
  const origin: Value =
    from.kind === 'constant'
      ? { kind: 'values', values: from.values }
      : valueOf(from, reader.subject, reader.settled, acceptanceOf(claim));
  if (origin.kind === 'unavailable') return origin;
  if (origin.kind === 'missing' && !transforms.some(({ catchesMissing }) => catchesMissing)) return origin;
  const inputs = inputsOf(claim, operands, reader);
  if (inputs === undefined) return { kind: 'unavailable' };
  let values = origin.kind === 'values' ? origin.values : [];
  trace?.('from', values);
  const { call, keyOf, work } = reader;
  const scope = { operands: inputs.values, tenant: call.tenant, application: call.application, keyOf, work };
  try {
    for (const transform of transforms) {
      values = transform.apply(values, scope);
      trace?.(transform.name, values);
    }
    return valueOfClaim(claim, values, origin.by ?? inputs.by);
  } catch (error) {
    if (error instanceof NotTransformable || error instanceof TooMuchWork) return { kind: 'unavailable' };
    throw error;
  }
}

interface Inputs {
  /** For each origin its values, none where there is none. */
  readonly values: readonly (readonly AttributeValue[])[];
  readonly by?: 'stale' | 'degraded';
}

const noInputs: Inputs = { values: [] };

/** The values behind further origins; undefined where one of them is unavailable. */
function inputsOf(claim: PlannedClaim, origins: readonly Origin[], { subject, settled }: Reader): Inputs | undefined {
  if (origins.length === 0) return noInputs;
  const acceptance = acceptanceOf(claim);
  const found = origins.map((origin) => valueOf(origin, subject, settled, acceptance));
  const known = found.filter((value) => value.kind !== 'unavailable');
  if (known.length < found.length) return undefined;
  const by = known.find((value) => value.by !== undefined)?.by;
  return { values: known.map((value) => (value.kind === 'values' ? value.values : [])), ...(by && { by }) };
}

function acceptanceOf({ stale, acceptDegraded }: PlannedClaim): Acceptance {
  return { stale, degraded: acceptDegraded };
}

function valueOfClaim(claim: PlannedClaim, values: readonly AttributeValue[], by: 'stale' | 'degraded' | undefined): Evaluated {
  const texts: string[] = [];
  for (const value of values) {
    if (typeof value !== 'string') return { kind: 'unavailable' };
    if (value !== '') texts.push(value);
  }
  const [first, ...others] = texts;
  if (first === undefined) return { kind: 'missing' };
  if (!claim.list && others.length > 0) return { kind: 'unavailable' };
  return { kind: 'value', value: claim.list ? texts : first, ...(by && { by }) };
}

function stepOf(step: string, values: readonly AttributeValue[], explain: 'names' | 'values'): ClaimStep {
  const readable = (value: AttributeValue): string => (typeof value === 'string' ? value : Buffer.from(value).toString('hex'));
  return { step, count: values.length, ...(explain === 'values' && { values: values.map(readable) }) };
}

function fromText({ from }: PlannedClaim): string {
  if (from.kind === 'constant') return 'value';
  return from.kind === 'subject' ? `subject.${from.property}` : `${from.alias}.${from.attribute}`;
}
