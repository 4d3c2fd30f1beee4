import {
  checkPublication,
  diffMappings,
  estimateSize,
  identifyDocument,
  revisionOf,
  runMappingTests,
  type MappingDiff,
  type MappingKey,
  type PublishCheck,
  type StoredMapping,
} from '#claims';
import type { ClaimMappingService } from '../../mapping/claim-mapping.service.js';
import type { DifferenceBody, ValidationBody } from '../contract/mapping.js';
import { issueBodies } from '../contract/problem.js';
import type { Turns } from '../http/turns.js';

type Differences =
  | { readonly kind: 'compared'; readonly differences: DifferenceBody[] }
  | Extract<MappingDiff, { kind: 'unreadable' }>;

/** Judges documents: by themselves, and beside what is in force. No source is asked. */
export class MappingCheck {
  constructor(
    private readonly mappings: ClaimMappingService,
    private readonly turns: Turns,
  ) {}

  validate(document: Readonly<Record<string, unknown>>): Promise<ValidationBody> {
    return this.turns.take(() => this.judge(document));
  }

  /** What a publish is judged by, in its transaction. */
  publication(key: MappingKey): PublishCheck {
    return (inForce) => checkPublication(inForce, key, this.mappings.context, this.mappings.compiled);
  }

  /** By what they mean; a side that cannot be read has no parts to compare. */
  differences(before: unknown, after: unknown): Differences {
    const compared = diffMappings(before, after);
    if (compared.kind === 'unreadable') return compared;
    return {
      kind: 'compared',
      differences: compared.differences.map(({ parts, ...difference }) => ({
        ...difference,
        parts: parts.map((part) => ({ ...part })),
      })),
    };
  }

  private async judge(document: Readonly<Record<string, unknown>>): Promise<ValidationBody> {
    const candidate = candidateOf(document);
    const result = this.mappings.compileBeside(candidate);
    if (result.kind === 'refused') return { valid: false, issues: issueBodies(result.issues), warnings: [], tests: [] };
    const tests = await runMappingTests(result.plan);
    const isGreen = tests.every(({ passed }) => passed);
    // A publish looks at others only where the document itself is right.
    const issues = isGreen ? await this.mappings.checkCandidate(candidate, result.plan) : [];
    const { limit, least, most, claims } = estimateSize(result.plan);
    return {
      valid: isGreen && issues.length === 0,
      issues: issueBodies(issues),
      warnings: issueBodies(result.warnings),
      tests: tests.map(({ name, passed, why }) => ({ name, passed, why: [...why] })),
      size: { limit, least, ...(most !== undefined && { most }), claims: claims.map((claim) => ({ ...claim })) },
    };
  }
}

/** A document that is not stored, as the store would hold it. */
export function candidateOf(document: Readonly<Record<string, unknown>>): StoredMapping {
  const { tenant, name } = identifyDocument(document);
  return { origin: `${String(tenant)}/${String(name)}`, revision: revisionOf(document), content: { kind: 'document', document } };
}
