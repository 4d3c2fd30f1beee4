/**
 * An objectGUID's 16 bytes as text. The first three groups are little-endian (MS-DTYP §2.3.4.2).
 * Undefined where there are not 16 bytes.
 */
export function guidText(bytes: Uint8Array): string | undefined {
  if (bytes.length !== 16) return undefined;
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  const hex = order.map((index) => bytes[index]!.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A security identifier's bytes (MS-DTYP §2.4.2.2) as S-1-…; undefined where the bytes are not one. */
export function sidText(bytes: Uint8Array): string | undefined {
  if (bytes.length < 8 || bytes[0] !== 1) return undefined;
  const count = bytes[1]!;
  if (count > 15 || bytes.length !== 8 + 4 * count) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const authority = view.getUint16(2) * 2 ** 32 + view.getUint32(4);
  const subAuthorities = Array.from({ length: count }, (_, index) => view.getUint32(8 + 4 * index, true));
  return ['S', bytes[0], authority, ...subAuthorities].join('-');
}
