import { bulkhead, isBulkheadRejectedError } from 'cockatiel';
import { busy } from './admin-problem.js';

/** Bounds how much of a kind is worked out for operators at the same time: the same process answers sign-ins. */
export class Turns {
  private readonly turns;

  constructor(
    private readonly what: string,
    limits: { readonly concurrency: number; readonly queue: number },
  ) {
    this.turns = bulkhead(limits.concurrency, limits.queue);
  }

  /** @throws AdminProblem `admin.busy` where too many wait already */
  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.turns.execute(work);
    } catch (error) {
      if (isBulkheadRejectedError(error)) throw busy(this.what);
      throw error;
    }
  }
}
