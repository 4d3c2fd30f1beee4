import type { Json } from './wire-events.js';

/**
 * Checks an answer as Entra's documents have it, without anything of the library that wrote it: the JSON text itself, key by key.
 * @returns the one action
 */
export function theOnlyAction(
  body: string,
  event: { readonly data: string; readonly action: string },
  beside: readonly string[] = [],
): Json {
  const answer = JSON.parse(body) as Json;
  only(answer, ['data'], 'the answer');
  only(answer['data'], ['@odata.type', 'actions', ...beside], 'data');
  same(answer['data']['@odata.type'], `microsoft.graph.${event.data}`, 'data.@odata.type');
  const actions: unknown = answer['data'].actions;
  if (!Array.isArray(actions) || actions.length !== 1) throw new Error('data.actions is not a list of exactly one action');
  same(actions[0]['@odata.type'], `microsoft.graph.${event.action}`, 'the action');
  return actions[0] as Json;
}

/** The claims of a tokenIssuanceStart answer: names that are not empty, texts and lists of texts, 3,000 bytes together. */
export function claimsOf(body: string): Readonly<Record<string, string | readonly string[]>> {
  const action = theOnlyAction(body, {
    data: 'onTokenIssuanceStartResponseData',
    action: 'tokenIssuanceStart.provideClaimsForToken',
  });
  only(action, ['@odata.type', 'claims'], 'the action');
  const claims: unknown = action['claims'];
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) throw new Error('claims is not an object');
  let bytes = 0;
  for (const [name, value] of Object.entries(claims)) {
    const texts: unknown[] = Array.isArray(value) ? value : [value];
    if (name === '' || texts.some((text) => typeof text !== 'string')) throw new Error(`the claim ${name} is malformed`);
    bytes += [name, ...texts].reduce<number>((sum, text) => sum + Buffer.byteLength(text as string), 0);
  }
  if (bytes > 3_000) throw new Error(`the claims have ${bytes} bytes`);
  return claims as Record<string, string | readonly string[]>;
}

function only(value: unknown, names: readonly string[], what: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is not an object`);
  same(Object.keys(value).toSorted().join(), names.toSorted().join(), `the keys of ${what}`);
}

function same(found: unknown, wanted: string, what: string): void {
  if (found !== wanted) throw new Error(`${what}: ${String(found)}, not ${wanted}`);
}
