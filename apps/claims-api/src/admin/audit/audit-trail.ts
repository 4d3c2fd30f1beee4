import type { AuditEntry, MappingRepository } from '#claims';
import type { Logger } from '#observability';
import type { z } from 'zod';
import { logAudit } from '../../mapping/audit-log.js';
import type { AuditPageBody, auditFilter } from '../contract/audit.js';
import { AdminProblem, repositoryUnavailable } from '../http/admin-problem.js';

/** What is done that is no change of a mapping: the repository itself keeps those, in one transaction with the change. */
export class AuditTrail {
  constructor(
    private readonly repository: MappingRepository | undefined,
    private readonly log: Logger,
  ) {}

  /**
   * Call it before the act: what cannot be recorded does not happen. With mappings in files the log is the only record.
   * @throws AdminProblem `repository.unavailable`
   */
  async record(entry: Omit<AuditEntry, 'at'>): Promise<void> {
    const complete = { ...entry, at: new Date() };
    if (!this.repository) return logAudit(this.log, complete);
    const recorded = await this.repository.record(complete);
    if (recorded.kind === 'unavailable') throw repositoryUnavailable(recorded.detail);
  }

  /** @throws AdminProblem `audit.notKept` where the mappings are files, `repository.unavailable` */
  async list(filter: z.output<typeof auditFilter>): Promise<AuditPageBody> {
    if (!this.repository)
      throw new AdminProblem({
        code: 'audit.notKept',
        status: 409,
        title: 'The audit is in the log only, because the mappings are files.',
        remedy: 'Look for the log lines “audit”, or keep the mappings in PostgreSQL.',
      });
    const page = await this.repository.audit(withoutAbsent(filter));
    if (page.kind === 'unavailable') throw repositoryUnavailable(page.detail);
    return {
      items: page.entries.map(({ at, ...entry }) => ({ ...entry, at: at.toISOString(), details: { ...entry.details } })),
      ...(page.next !== undefined && { next: page.next }),
    };
  }
}

/** The same without the keys that have no value. */
export function withoutAbsent<Value extends object>(value: Value): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as never;
}
