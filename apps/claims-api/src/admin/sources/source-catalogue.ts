import type { Actor } from '#claims';
import type { Sources } from '../../sources.js';
import type { AuditTrail } from '../audit/audit-trail.js';
import type { ConnectionTestBody, SourceBody } from '../contract/source.js';
import { AdminProblem } from '../http/admin-problem.js';

/** The operator's sources, as far as a mapping's author needs to know them: never a secret, never a user name. */
export class SourceCatalogue {
  constructor(
    private readonly sources: Sources,
    private readonly trail: AuditTrail,
    /** How long a test may take, in milliseconds. */
    private readonly patience: number,
  ) {}

  list(): readonly SourceBody[] {
    return this.sources.described;
  }

  /** @throws AdminProblem `source.unknown` */
  read(name: string): SourceBody {
    const source = this.list().find((each) => each.name === name);
    if (!source)
      throw new AdminProblem({
        code: 'source.unknown',
        status: 404,
        title: 'There is no such source.',
        remedy: 'GET /admin/v1/sources lists those that there are; a new one belongs in the configuration file.',
      });
    return source;
  }

  /** @throws AdminProblem `source.unknown`, `repository.unavailable` where the test cannot be recorded */
  async test(name: string, actor: Actor): Promise<ConnectionTestBody> {
    this.read(name);
    await this.trail.record({ actor, action: 'source.test', target: name, details: {} });
    const started = performance.now();
    const result = await this.sources.test(name, AbortSignal.timeout(this.patience));
    const ms = Math.round((performance.now() - started) * 10) / 10;
    if (result === 'busy') return { result, ms };
    return { result: result.kind, ms, ...(result.kind === 'down' && { reason: result.reason }) };
  }
}
