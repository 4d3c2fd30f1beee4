import {
  Deadline,
  askThrough,
  claimBytes,
  identifyDocument,
  maximumClaimBytes,
  type Actor,
  type ClaimDefect,
  type ConfigurationIssue,
  type FailureCode,
  type Resolution,
  type Selection,
} from '#claims';
import type { Metrics } from '#observability';
import type { Configuration } from '../../config.js';
import type { ClaimMappingService } from '../../mapping/claim-mapping.service.js';
import type { Sources } from '../../sources.js';
import type { AuditTrail } from '../audit/audit-trail.js';
import type { PreviewBody, PreviewRequest } from '../contract/preview.js';
import { issueBodies, type Issue } from '../contract/problem.js';
import { invalidRequest } from '../http/admin-problem.js';
import { etagOf } from '../http/entity-tag.js';
import type { Turns } from '../http/turns.js';
import { candidateOf } from '../mappings/mapping-check.js';
import { mappingRefused, unknownMapping } from '../mappings/mapping-problems.js';
import type { MappingWorkbench } from '../mappings/mapping-workbench.js';
import { explainBody } from './explain-body.js';
import { keyWarnings, previewedSignIn, propertiesRead, type PreviewedSignIn } from './person.js';

type Version = NonNullable<PreviewBody['mapping']>['version'];
type Selected = Selection | { readonly kind: 'unloaded' };

/**
 * What a sign-in would get, by the path of the sign-ins: the same selection, the same resolution, the same caches, which it leaves as
 * they are. Every one of them is recorded before anything is asked.
 */
export class Previews {
  constructor(
    private readonly parts: {
      readonly configuration: Configuration;
      readonly mappings: ClaimMappingService;
      readonly sources: Sources;
      readonly workbench: MappingWorkbench;
      readonly trail: AuditTrail;
      readonly metrics: Metrics;
      readonly turns: Turns;
    },
  ) {}

  /**
   * @param mayReadValues whether the caller has Claims.ReadValues
   * @throws AdminProblem for a request that cannot be previewed, and where it cannot be recorded
   */
  async run(request: PreviewRequest, actor: Actor, mayReadValues: boolean): Promise<PreviewBody> {
    const { configuration, metrics, turns } = this.parts;
    const tenants = configuration.document.tenants;
    const tenant = Object.hasOwn(tenants, request.tenant) ? tenants[request.tenant] : undefined;
    if (!tenant) throw invalidRequest('body', [{ path: ['tenant'], reason: `there is no tenant ${request.tenant}` }]);
    const signIn = previewedSignIn(request, tenant.tenantId);
    return turns.take(async () => {
      const { selected, version, issues, etag } = await this.select(request, signIn);
      const showValues = mayReadValues && request.values;
      await this.record(request, signIn, actor, { version, showValues, selected });
      const answered = await this.answer(request, signIn, selected, version, showValues);
      const warnings = [...answered.warnings, ...issueBodies(issues)];
      const body = { ...answered, ...(etag !== undefined && { etag }), warnings };
      metrics.previews.inc({ tenant: request.tenant, answer: body.answer });
      return body;
    });
  }

  /** The mapping of this call: as things are, or as if a version or a document were in force. */
  private async select(
    { tenant, mapping }: PreviewRequest,
    { call }: PreviewedSignIn,
  ): Promise<{
    readonly selected: Selected;
    readonly version: Version;
    readonly issues: readonly ConfigurationIssue[];
    /** Of the mapping whose draft it is. */
    readonly etag?: string;
  }> {
    const { mappings, workbench } = this.parts;
    if (!mapping) return { selected: mappings.select(tenant, call), version: 'inForce', issues: [] };
    const version = 'document' in mapping ? 'document' : mapping.version === 'published' ? 'inForce' : mapping.version;
    // Read first: what changes meanwhile is shown under an ETag that no longer publishes it.
    const etag =
      'name' in mapping && mapping.version === 'draft'
        ? etagOf((await workbench.read({ tenant, name: mapping.name })).version)
        : undefined;
    const document =
      'document' in mapping ? mapping.document : await workbench.version({ tenant, name: mapping.name }, mapping.version);
    if (!document) throw unknownMapping('mapping in force');
    if (document['tenant'] !== tenant)
      throw invalidRequest('body', [
        { path: ['mapping', 'document', 'tenant'], reason: 'is not the tenant that the preview is for' },
      ]);
    const result = mappings.selectBeside(candidateOf(document), tenant, call);
    if (result.kind === 'refused') throw mappingRefused(result.issues);
    return { selected: result.selection, version, issues: result.warnings, ...(etag !== undefined && { etag }) };
  }

  private record(
    { tenant, event }: PreviewRequest,
    { call, subject }: PreviewedSignIn,
    actor: Actor,
    what: { readonly version: Version; readonly showValues: boolean; readonly selected: Selected },
  ): Promise<void> {
    const { selected, version, showValues } = what;
    const plan = selected.kind === 'mapping' ? selected.plan : undefined;
    return this.parts.trail.record({
      actor,
      action: 'mapping.preview',
      tenant,
      ...(plan && { target: plan.mapping }),
      details: {
        version,
        values: showValues,
        by: event ? 'event' : subject ? Object.keys(subject).join(' ') : 'nobody',
        ...(call && { application: call.application }),
      },
    });
  }

  private async answer(
    { tenant, mapping }: PreviewRequest,
    signIn: PreviewedSignIn,
    selected: Selected,
    version: Version,
    showValues: boolean,
  ): Promise<PreviewBody> {
    const { mappings, sources, configuration } = this.parts;
    const deadlineMs = configuration.deadline;
    const nothing: PreviewBody = {
      answer: 'noMapping',
      claims: [],
      valuesHidden: !showValues,
      deviations: [],
      explain: { lookups: [], claims: [] },
      ms: 0,
      deadlineMs,
      size: { bytes: 0, limit: maximumClaimBytes },
      warnings: [],
    };
    if (selected.kind === 'none')
      return { ...nothing, ...this.unmapped(tenant), warnings: warningsOf(signIn, mapping, undefined) };
    if (selected.kind !== 'mapping') return { ...nothing, answer: 'failure', code: `mapping.${selected.kind}` };

    const plan = askThrough(selected.plan, (source) => sources.previewOf(source));
    const started = performance.now();
    using deadline = new Deadline(deadlineMs);
    const resolution = await mappings.resolve({ kind: 'mapping', plan, call: selected.call }, signIn.subject, deadline, {
      explain: showValues ? 'values' : 'names',
      noHandOver: true,
    });
    const ms = Math.round((performance.now() - started) * 10) / 10;
    const read = propertiesRead(plan);
    const known = Object.keys(signIn.subject ?? {}) as (typeof read)[number][];
    return {
      ...nothing,
      ...outcomeOf(resolution, showValues),
      mapping: {
        name: plan.mapping,
        revision: plan.revision,
        version: mapping && 'name' in mapping && mapping.name !== plan.mapping ? 'inForce' : version,
      },
      deviations: resolution.deviations.map((deviation) => ({ ...deviation })),
      explain: explainBody(resolution),
      ...(signIn.subject && {
        person: { known, missing: signIn.complete ? [] : read.filter((property) => !known.includes(property)) },
      }),
      ms,
      warnings: [
        ...warningsOf(signIn, mapping, plan.mapping),
        ...keyWarnings(plan, resolution, signIn),
        ...resolution.defects.map(defectWarning),
      ],
    };
  }

  /** Without a mapping the operator's word for the tenant decides. */
  private unmapped(tenant: string): Pick<PreviewBody, 'answer' | 'code'> {
    const fails = this.parts.configuration.document.tenants[tenant]?.unmappedApplications === 'fail';
    return fails ? { answer: 'failure', code: 'mapping.none' } : { answer: 'noMapping' };
  }
}

function outcomeOf(
  resolution: Resolution,
  showValues: boolean,
): Pick<PreviewBody, 'answer' | 'claims' | 'size'> & { code?: FailureCode; failedClaims?: string[] } {
  if (resolution.kind === 'failed')
    return {
      answer: 'failure',
      code: resolution.code,
      failedClaims: [...resolution.claims],
      claims: [],
      size: { bytes: 0, limit: maximumClaimBytes },
    };
  const claims = [...resolution.claims];
  return {
    answer: 'claims',
    claims: claims.map(([name, value]) => ({
      name,
      list: typeof value !== 'string',
      count: typeof value === 'string' ? 1 : value.length,
      ...(showValues && { value: typeof value === 'string' ? value : [...value] }),
    })),
    size: { bytes: claims.reduce((sum, [name, value]) => sum + claimBytes(name, value), 0), limit: maximumClaimBytes },
  };
}

function defectWarning({ claim, detail }: ClaimDefect): Issue {
  return { path: ['claims', claim], reason: `cannot be evaluated, by a defect of Claimbridge: ${detail}`, remedy: 'Report it.' };
}

/** Where the mapping that was asked for is not the one that this call would get. */
function warningsOf({ call }: PreviewedSignIn, mapping: PreviewRequest['mapping'], chosen: string | undefined): Issue[] {
  if (!call) return [{ path: ['event'], reason: 'names no application, so no mapping is for it' }];
  const identity = mapping && 'document' in mapping ? identifyDocument(mapping.document) : undefined;
  // No call gets a claim set: it is looked at through the mappings that include it.
  if (identity?.kind === 'claimSet') return [];
  const wanted = mapping && 'name' in mapping ? mapping.name : identity?.name;
  if (wanted === undefined || wanted === chosen) return [];
  return [
    chosen === undefined
      ? {
          path: ['applications'],
          reason: `${wanted} does not serve this call`,
          remedy: 'Compare application, client and extension.',
        }
      : {
          path: ['applications'],
          reason: `${chosen} is more specific for this call than ${wanted}, or the only one that serves it`,
        },
  ];
}
