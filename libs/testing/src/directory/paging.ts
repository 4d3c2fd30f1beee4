import { BerError, BerReader, integer, octets, sequence } from './ber.js';
import type { Control } from './messages.js';

/** The simple paged results control (RFC 2696). */
export const pagedResults = '1.2.840.113556.1.4.319';

export interface Page {
  readonly size: number;
  /** How many entries went out on earlier pages. */
  readonly offset: number;
}

/** Undefined where the control holds a cookie that this server never gave. Throws a BerError where the value is malformed. */
export function readPage({ value }: Control): Page | undefined {
  if (value === undefined) throw new BerError('the paged results control has no value');
  const content = new BerReader(value).inside();
  const size = content.integer();
  const cookie = content.octets();
  if (cookie.length === 0) return { size, offset: 0 };
  if (cookie.length !== 4) return undefined;
  return { size, offset: Buffer.from(cookie).readUInt32BE() };
}

/** `next` is the offset of the next page, undefined after the last. The estimate of the total is left at 0: unknown. */
export function pageControl(next: number | undefined): Control {
  const cookie = Buffer.alloc(next === undefined ? 0 : 4);
  if (next !== undefined) cookie.writeUInt32BE(next);
  return { type: pagedResults, critical: false, value: sequence(integer(0), octets(cookie)) };
}
