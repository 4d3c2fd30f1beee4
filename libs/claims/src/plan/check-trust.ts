import { unverifiedProperties } from '../subject.js';
import type { Origin } from './plan.js';

/**
 * Why a lookup must not be asked by these parameters: a property that the person or another tenant can set finds whomever they like, so
 * it needs an explicit word, and then serves for members only (`certainKey`).
 */
export function trustIssues(
  inputs: ReadonlyMap<string, Origin>,
  trustUnverified: boolean,
): readonly { readonly path: readonly string[]; readonly reason: string; readonly remedy: string }[] {
  const unverified = [...inputs].flatMap(([parameter, origin]) =>
    origin.kind === 'subject' && unverifiedProperties.has(origin.property) ? [{ parameter, property: origin.property }] : [],
  );
  if (trustUnverified)
    return unverified.length > 0
      ? []
      : [
          {
            path: ['trustUnverified'],
            reason: 'is of no use: no parameter is a property that somebody else can set',
            remedy: 'leave it out',
          },
        ];
  return unverified.map(({ parameter, property }) => ({
    path: ['with', parameter],
    reason: `subject.${property} can be set by the person or by another tenant`,
    remedy:
      'take a property that they cannot set, or say trustUnverified: true at the lookup: then it finds members, and no guest',
  }));
}
