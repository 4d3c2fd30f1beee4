/** A value as a document would have it in one line of YAML. */
export function stringify(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stringify).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, part]) => `${key}: ${stringify(part)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  if (typeof value !== 'string') return String(value);
  return /^[A-Za-z][A-Za-z0-9 _@./-]*$/.test(value) ? value : `'${value.replaceAll("'", "''")}'`;
}
