/** Who is to be told. It is kept with the signal: what is in a WeakMap outlives a collection of young objects. */
const callbacks = Symbol('callbacks');

/**
 * Calls back when a signal aborts, unless it was let go before; one that has aborted already calls nobody. It costs a fraction of a
 * listener that is added and removed again, of which a sign-in would need one at each layer. The listener stays, so Node holds a signal
 * of `AbortSignal.any` until it aborts: give it a time limit among its sources.
 *
 * @returns what to call when nobody waits any more
 */
export function onAbort(signal: AbortSignal & { [callbacks]?: Set<() => void> }, callback: () => void): () => void {
  if (signal.aborted) return () => undefined;
  const told = (signal[callbacks] ??= listenTo(signal));
  told.add(callback);
  return () => void told.delete(callback);
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const told = new Set<() => void>();
  signal.addEventListener('abort', () => {
    for (const callback of told) callback();
  });
  return told;
}
