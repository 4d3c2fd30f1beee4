/** What a directory attribute can be. Entra sends an integer of more than 53 bits as it is, and JSON.parse rounds it. */
export type Scalar = string | number | boolean;

/** A number of JSON can be too large for a double (1e400); such a number is none. */
export function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}
