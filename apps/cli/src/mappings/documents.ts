import { identifyDocument } from '#claims';
import { CommandError, exitCodes } from '../exit-codes.js';
import { readDocuments } from '../files/read-documents.js';

/** A document of a file, named as the admin API names it. */
export interface NamedDocument {
  readonly origin: string;
  readonly tenant: string;
  readonly name: string;
  /** A claim set, which mappings include, so that it must be there before them. */
  readonly isClaimSet: boolean;
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * The documents of files and folders, claim sets first.
 * @throws CommandError where one cannot be read, has no name or tenant, or two have the same
 */
export async function namedDocuments(paths: readonly string[]): Promise<readonly NamedDocument[]> {
  const named = (await readDocuments(paths)).map(({ origin, content }): NamedDocument => {
    if (content.kind === 'unreadable') throw new CommandError(exitCodes.findings, `${origin}: ${content.reason}`);
    const { kind, tenant, name } = identifyDocument(content.document);
    if (name === undefined || tenant === undefined)
      throw new CommandError(
        exitCodes.findings,
        `${origin}: has no name or no tenant`,
        'claimbridge validate says what else it lacks.',
      );
    return { origin, tenant, name, isClaimSet: kind === 'claimSet', document: content.document as NamedDocument['document'] };
  });
  const seen = new Map<string, string>();
  for (const { origin, tenant, name } of named) {
    const key = `${tenant}/${name}`;
    const other = seen.get(key);
    if (other !== undefined) throw new CommandError(exitCodes.findings, `${origin}: ${key} is ${other} already`);
    seen.set(key, origin);
  }
  return named.toSorted((left, right) => Number(right.isClaimSet) - Number(left.isClaimSet));
}
