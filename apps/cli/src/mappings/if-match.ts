import { InvalidArgumentError } from 'commander';

/**
 * The ETag of a mapping’s version, as --if-match has it: the number, or the ETag itself.
 * @throws InvalidArgumentError for what is neither
 */
export function etagOfVersion(text: string): string {
  if (!/^(?:"[1-9]\d{0,14}"|[1-9]\d{0,14})$/.test(text))
    throw new InvalidArgumentError('It is the number of a version, such as 8.');
  return text.startsWith('"') ? text : `"${text}"`;
}

/**
 * How what was shown is put in force, and nothing else: a draft is published, anything rolled back to. Mappings in files have no
 * versions, so there is nothing to say of them.
 */
export function ifMatchLines(etag: string | undefined, { isDraft }: { readonly isDraft: boolean }): readonly string[] {
  const [, version] = /^"([1-9]\d*)"$/.exec(etag ?? '') ?? [];
  return version === undefined
    ? []
    : [
        '',
        `This is version ${version} of the mapping: ${isDraft ? 'publish or rollback' : 'rollback'} with --if-match ${version} goes by no other.`,
      ];
}
