import type { AuditEntry } from '#claims';
import type { Logger } from '#observability';

/** Every entry of the audit in the log stream too, where it is out of reach of whoever could reach the table. */
export function logAudit(log: Logger, { at, actor, action, tenant, target, details }: AuditEntry): void {
  const by = { id: actor.id, ...(actor.address !== undefined && { address: actor.address }) };
  log.info({ audit: { at: at.toISOString(), action, by, tenant, target, details } }, 'audit');
}
