/** A security identifier as text ([MS-DTYP] §2.4.2.1) from its bytes (§2.4.2.2); undefined where they are none. */
export function sidText(bytes: Uint8Array): string | undefined {
  const [revision, count = 0] = bytes;
  if (revision !== 1 || bytes.length !== 8 + 4 * count) return undefined;
  const view = Buffer.from(bytes);
  const parts = Array.from({ length: count }, (_, index) => view.readUInt32LE(8 + 4 * index));
  return ['S', revision, view.readUIntBE(2, 6), ...parts].join('-');
}

/** The bytes of a security identifier; undefined where the text is none. */
export function sidBytes(text: string): Uint8Array | undefined {
  const [, authority, rest = ''] = /^S-1-([0-9]{1,15})((?:-[0-9]{1,10}){0,15})$/i.exec(text) ?? [];
  if (authority === undefined) return undefined;
  const parts = rest.split('-').slice(1).map(Number);
  if (Number(authority) >= 2 ** 48 || parts.some((part) => part >= 2 ** 32)) return undefined;
  const bytes = Buffer.alloc(8 + 4 * parts.length);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt8(parts.length, 1);
  bytes.writeUIntBE(Number(authority), 2, 6);
  parts.forEach((part, index) => bytes.writeUInt32LE(part, 8 + 4 * index));
  return bytes;
}

/** The bytes of a GUID as `objectGUID` holds them ([MS-DTYP] §2.3.4.2); undefined where the text is none. */
export function guidBytes(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined;
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.writeUInt32LE(bytes.readUInt32BE(0), 0);
  bytes.subarray(4, 8).swap16();
  return bytes;
}
