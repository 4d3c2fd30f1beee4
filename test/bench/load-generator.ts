import { fork } from 'node:child_process';
import path from 'node:path';
import type { Job, Outcome } from './load.js';

/** An answer was wrong, or did not come: figures of such a run would mean nothing. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}

/** The process that sends the requests. It ends with this one. */
export class LoadGenerator {
  readonly #child = fork(path.join(import.meta.dirname, 'load.ts'), {
    execArgv: ['--import', './tools/resolve-typescript.mjs'],
    serialization: 'advanced',
  });

  /** @throws WrongAnswer */
  async run(job: Job): Promise<Outcome> {
    const outcome = await new Promise<Outcome>((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new Error(`The load generator ended with ${code}.`));
      this.#child.once('exit', onExit);
      this.#child.once('message', (message: Outcome) => {
        this.#child.off('exit', onExit);
        resolve(message);
      });
      this.#child.send(job);
    });
    assertRight(outcome);
    return outcome;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

/** @throws WrongAnswer unless every request got the answer that is right for it */
export function assertRight({ answers, errors, wrong, firstWrong }: Outcome): void {
  if (firstWrong)
    throw new WrongAnswer(
      `${wrong} of ${answers} answers are wrong. The first: status ${firstWrong.status}, ${firstWrong.body} instead of ${firstWrong.expected}`,
    );
  if (errors > 0) throw new WrongAnswer(`${errors} requests got no answer.`);
  if (answers === 0) throw new WrongAnswer('There was no answer at all.');
}
