/** By signal: who is to be told, by its one listener. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when a signal aborts, unless it was let go before; one that has aborted already calls nobody. It costs a fraction of a
 * listener that is added and removed again, of which a sign-in would need one at each layer.
 *
 * @returns what to call when nobody waits any more
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let callbacks = waiting.get(signal);
  if (!callbacks) {
    const created = (callbacks = new Set());
    waiting.set(signal, created);
    signal.addEventListener('abort', () => {
      for (const each of created) each();
    });
  }
  const told = callbacks;
  told.add(callback);
  return () => void told.delete(callback);
}
