import { onAbort } from './on-abort.js';

/** The work's result, or `aborted` as soon as the signal says so; the work itself goes on, for others who wait for it. */
export function settleOn<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result | 'aborted'> {
  if (signal.aborted) {
    work.catch(() => undefined);
    return Promise.resolve('aborted');
  }
  return new Promise((resolve, reject) => {
    const letGo = onAbort(signal, () => resolve('aborted'));
    work.then(
      (result) => (letGo(), resolve(result)),
      (error: unknown) => (letGo(), reject(error)),
    );
  });
}
