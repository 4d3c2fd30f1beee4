import type { MappingDocument } from '../mapping/mapping-document.js';
import { aliasesOf } from './plan.js';
import type { Origin, PlannedClaim, PlannedLookup } from './plan.js';

type Refuse = (path: readonly (string | number)[], reason: string, remedy?: string) => void;

/** A last known value is there only where its lookup keeps one long enough, and only if somebody may use it. */
export function checkStale(
  { lookups, claims }: MappingDocument,
  planned: readonly PlannedClaim[],
  refuse: Refuse,
  refuseUseless: Refuse,
): void {
  const used = new Set<string>();
  for (const claim of planned) {
    const { whenUnavailable } = claims[claim.name]!;
    if (typeof whenUnavailable !== 'object' || !('stale' in whenUnavailable)) continue;
    const path = ['claims', claim.name, 'whenUnavailable', 'stale'];
    const known = [...aliasesOf(claim)].filter((alias) => Object.hasOwn(lookups, alias));
    const keeping = known.filter((alias) => lookups[alias]!.keepLastKnown !== undefined);
    for (const alias of keeping) {
      used.add(alias);
      if (whenUnavailable.stale > lookups[alias]!.keepLastKnown!)
        refuse(path, `is longer than keepLastKnown of the lookup ${alias}`, 'keep longer, or use it for less long');
    }
    const own = claim.from.kind === 'lookup' ? claim.from.alias : known[0];
    if (own === undefined || known.length === 0) refuse(path, 'needs a claim whose value comes from a lookup');
    else if (claim.from.kind === 'lookup' ? !keeping.includes(own) : keeping.length === 0)
      refuse(path, `needs keepLastKnown at the lookup ${own}`);
  }
  const inputs = new Set(
    Object.values(lookups).flatMap(({ with: given, keepLastKnown }) =>
      keepLastKnown === undefined ? [] : Object.values(given ?? {}).map((reference) => reference.split('.')[0]!),
    ),
  );
  for (const [alias, { keepLastKnown }] of Object.entries(lookups))
    if (keepLastKnown !== undefined && !used.has(alias) && !inputs.has(alias))
      refuseUseless(['lookups', alias, 'keepLastKnown'], 'is of no use: no claim of this lookup says stale');
}

/** Accepting degraded values makes sense only behind a fallback, and a fallback only where something accepts what it gives. */
export function checkDegraded(
  { claims }: MappingDocument,
  lookups: readonly PlannedLookup[],
  planned: readonly PlannedClaim[],
  refuse: Refuse,
): void {
  const degradable = new Set<string>();
  const accepted = new Set<string>();
  const accept = (aliases: Iterable<string>, path: readonly string[]): boolean => {
    const degraded = [...aliases].filter((alias) => degradable.has(alias));
    for (const alias of degraded) accepted.add(alias);
    if (degraded.length === 0) refuse(path, 'is of no use: no value that it gets can be degraded');
    return degraded.length > 0;
  };
  const aliases = (origins: Iterable<Origin>): readonly string[] =>
    [...origins].flatMap((origin) => (origin.kind === 'lookup' ? [origin.alias] : []));
  for (const { alias, inputs, fallbacks, acceptDegraded } of lookups) {
    const byInputs = acceptDegraded && accept(aliases(inputs.values()), ['lookups', alias, 'acceptDegraded']);
    if (byInputs || fallbacks.length > 0) degradable.add(alias);
  }
  for (const claim of planned)
    if (claims[claim.name]!.acceptDegraded) accept(aliasesOf(claim), ['claims', claim.name, 'acceptDegraded']);
  for (const { alias, fallbacks } of lookups)
    if (fallbacks.length > 0 && !accepted.has(alias))
      refuse(['lookups', alias, 'fallback'], 'is of no use: no claim or lookup says acceptDegraded');
}
