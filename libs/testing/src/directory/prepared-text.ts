/** A text as it is compared where case does not matter (caseIgnoreMatch, RFC 4518 §2 in what directories of people need). */
export function preparedText(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}
