import type { AttributeValue } from '../attributes.js';
import type { ClaimValue, Plan, PlannedClaim, Policy } from '../plan/plan.js';
import { NotTransformable } from '../plan/transforms.js';
import type { Subject } from '../subject.js';
import { limitClaims } from './limit.js';
import { valueOf, type Settled, type Value } from './lookup-run.js';
import type { ClaimDeviation, ClaimExplanation, ClaimStep, FailureCode, ResolveOptions } from './resolution.js';

export type Projection = {
  readonly deviations: readonly ClaimDeviation[];
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
  { explain }: ResolveOptions,
): Projection {
  const claims = new Map<string, ClaimValue>();
  const deviations: ClaimDeviation[] = [];
  const explanations = new Map<string, ClaimExplanation>();
  const failed = { unavailable: [] as string[], missing: [] as string[] };

  for (const claim of plan.claims) {
    const { name } = claim;
    const steps: ClaimStep[] = [];
    const trace = explain && ((step: string, values: readonly AttributeValue[]) => steps.push(stepOf(step, values, explain)));
    const treated = treat(claim, evaluate(claim, subject, settled, trace));
    if (treated.value !== undefined) claims.set(name, treated.value);
    if (treated.result === 'failed') failed[treated.why].push(name);
    else if (treated.result !== 'value') deviations.push({ claim: name, why: treated.why, treatment: treated.result });
    if (explain) {
      const { result } = treated;
      explanations.set(name, {
        claim: name,
        from: fromText(claim),
        steps,
        result,
        ...(result !== 'value' && { why: treated.why }),
      });
    }
  }
  const ended = (): Pick<Projection, 'deviations' | 'explanations'> => ({ deviations, explanations: [...explanations.values()] });

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
  /** The source is unavailable, or it gave what a text claim cannot hold: several values, or bytes. */
  | { readonly kind: 'unavailable' };

type Treated =
  | { readonly result: 'value'; readonly value: ClaimValue }
  | { readonly result: 'stale' | 'degraded' | 'defaulted'; readonly value: ClaimValue; readonly why: 'unavailable' | 'missing' }
  | { readonly result: 'omitted' | 'failed'; readonly value?: undefined; readonly why: 'unavailable' | 'missing' };

function treat(claim: PlannedClaim, evaluated: Evaluated): Treated {
  if (evaluated.kind === 'value') {
    const { value, by } = evaluated;
    return by ? { result: by, value, why: 'unavailable' } : { result: 'value', value };
  }
  const why = evaluated.kind;
  const policy: Policy = why === 'unavailable' ? claim.whenUnavailable : claim.whenMissing;
  if (policy === 'fail') return { result: 'failed', why };
  if (policy === 'omit') return { result: 'omitted', why };
  return { result: 'defaulted', value: policy.default, why };
}

type Trace = (step: string, values: readonly AttributeValue[]) => void;

function evaluate(
  claim: PlannedClaim,
  subject: Subject | undefined,
  settled: ReadonlyMap<string, Settled>,
  trace: Trace | undefined,
): Evaluated {
  const acceptance = { stale: claim.stale, degraded: claim.acceptDegraded };
  const origin: Value =
    claim.from.kind === 'constant'
      ? { kind: 'values', values: claim.from.values }
      : valueOf(claim.from, subject, settled, acceptance);
  if (origin.kind !== 'values') return origin;
  trace?.('from', origin.values);
  try {
    let values = origin.values;
    for (const transform of claim.transforms) {
      values = transform.apply(values);
      trace?.(transform.name, values);
    }
    return valueOfClaim(claim, values, origin.by);
  } catch (error) {
    if (error instanceof NotTransformable) return { kind: 'unavailable' };
    throw error;
  }
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
