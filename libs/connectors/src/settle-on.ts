/** The work's result, or `aborted` as soon as the signal says so; the work itself goes on, for others who wait for it. */
export function settleOn<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result | 'aborted'> {
  work.catch(() => undefined);
  if (signal.aborted) return Promise.resolve('aborted');
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve('aborted');
    const settled = (): void => signal.removeEventListener('abort', onAbort);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(
      (result) => (settled(), resolve(result)),
      (error: unknown) => (settled(), reject(error)),
    );
  });
}
