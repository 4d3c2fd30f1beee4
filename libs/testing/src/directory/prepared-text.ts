/** A text as it is compared where case does not matter (caseIgnoreMatch, RFC 4518 §2 in what directories of people need). */
export function preparedText(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}

export type PrepareText = (text: string) => string;

/** The same where accents do not matter either, as to Active Directory (NORM_IGNORENONSPACE, [MS-ADTS] §6.5.1). */
export function preparedAsActiveDirectory(text: string): string {
  return preparedText(text.normalize('NFKD').replace(/\p{M}/gu, ''));
}
