/**
 * The bytes of a security identifier written as `S-1-5-21-…` (MS-DTYP §2.4.2.1 and §2.4.2.2), as objectSid holds them.
 * Undefined where the text is not one.
 */
export function sidBytes(text: string): Buffer | undefined {
  const [, authorityText, rest] = /^S-1-(\d{1,15}|0x[0-9a-f]{12})((?:-\d{1,10}){1,15})$/i.exec(text) ?? [];
  if (authorityText === undefined || rest === undefined) return undefined;
  const authority = Number(authorityText);
  const subAuthorities = rest.slice(1).split('-').map(Number);
  if (authority >= 2 ** 48 || subAuthorities.some((part) => part >= 2 ** 32)) return undefined;
  const bytes = Buffer.alloc(8 + 4 * subAuthorities.length);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt8(subAuthorities.length, 1);
  bytes.writeUIntBE(authority, 2, 6);
  for (const [index, part] of subAuthorities.entries()) bytes.writeUInt32LE(part, 8 + 4 * index);
  return bytes;
}

/**
 * The 16 bytes of a GUID as objectGUID holds them: the first three groups little-endian (MS-DTYP §2.3.4.2).
 * Undefined where the text is not one.
 */
export function guidBytes(text: string): Buffer | undefined {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined;
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
