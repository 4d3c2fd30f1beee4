import {
  MappingSnapshot,
  checkPublication,
  identifyDocument,
  revisionOf,
  type Actor,
  type CompileContext,
  type ConfigurationIssue,
  type MappingKey,
  type MappingRepository,
  type Publication,
  type PublishCheck,
  type StoredMapping,
} from '#claims';

/** What became of one document. */
export type Imported =
  | { readonly origin: string; readonly kind: 'published' | 'unchanged' }
  | { readonly origin: string; readonly kind: 'refused'; readonly issues: readonly ConfigurationIssue[] };

/**
 * Publishes documents that are not in force as they are, one by one, each checked as every publish is. A document with
 * another draft is refused: somebody is working on it. Doing it twice does it once, and again goes on where it ended.
 * @throws Error where the repository cannot be reached
 */
export async function importMappings(
  documents: readonly StoredMapping[],
  repository: MappingRepository,
  context: CompileContext,
  actor: Actor,
): Promise<readonly Imported[]> {
  const results: Imported[] = [];
  const checks = new Checks(context);
  // Mappings include claim sets, so those come first.
  for (const mapping of [...documents.filter(isClaimSet), ...documents.filter((each) => !isClaimSet(each))])
    results.push(await importOne(mapping, repository, checks, actor));
  return results;
}

async function importOne(
  { origin, revision, content }: StoredMapping,
  repository: MappingRepository,
  checks: Checks,
  actor: Actor,
): Promise<Imported> {
  const refused = (...issues: readonly ConfigurationIssue[]): Imported => ({ origin, kind: 'refused', issues });
  if (content.kind === 'unreadable') return refused({ path: [], reason: content.reason });
  const key = keyOf(content.document);
  if (!key) return refused({ path: [], reason: 'has no tenant and name' });
  const present = await repository.read(key);
  if (present.kind === 'unavailable') throw new Error(`the repository cannot be reached: ${present.detail}`);
  const record = present.kind === 'found' ? present.record : undefined;
  const { draft } = record ?? {};
  if (draft && !(await isDraft(repository, key, revision)))
    return refused({ path: [], reason: `has a draft by ${draft.author.name ?? draft.author.id}` });
  if (record?.published?.revision === revision) return { origin, kind: 'unchanged' };
  const saved = draft ? present : await repository.saveDraft(key, content.document, record?.version ?? 0, actor);
  if (saved.kind !== 'changed' && saved.kind !== 'found') return refused(...issuesOf(saved));
  const { version } = saved.record;
  const published = await repository.publish(key, version, `imported from ${origin}`, actor, checks.of(key));
  if (published.kind === 'changed') return { origin, kind: 'published' };
  await repository.discardDraft(key, version, actor);
  return refused(...issuesOf(published));
}

/** Whether the draft is this document: that of an import before that came to no end. */
async function isDraft(repository: MappingRepository, key: MappingKey, revision: string): Promise<boolean> {
  const draft = await repository.readDraft(key);
  return draft.kind === 'found' && revisionOf(draft.document) === revision;
}

/** The checks of one import after the other: what one of them compiled, the next one has. */
class Checks {
  private readonly known = new Map<string, MappingSnapshot>();

  constructor(private readonly context: CompileContext) {}

  of(key: MappingKey): PublishCheck {
    return async (inForce) => {
      const before = this.known.get(key.tenant) ?? MappingSnapshot.empty;
      const issues = await checkPublication(inForce, key, this.context, before);
      const remaining = issues.length === 0 ? inForce : inForce.filter(({ origin }) => origin !== `${key.tenant}/${key.name}`);
      this.known.set(key.tenant, MappingSnapshot.compile(remaining, this.context, before));
      return issues;
    };
  }
}

function issuesOf(result: Exclude<Publication, { readonly kind: 'changed' }>): readonly ConfigurationIssue[] {
  if (result.kind === 'refused') return result.issues;
  if (result.kind === 'unavailable') throw new Error(`the repository cannot be reached: ${result.detail}`);
  return [{ path: [], reason: 'was changed by somebody else meanwhile' }];
}

function isClaimSet({ content }: StoredMapping): boolean {
  return content.kind === 'document' && identifyDocument(content.document).kind === 'claimSet';
}

function keyOf(document: unknown): MappingKey | undefined {
  const { tenant, name } = identifyDocument(document);
  return tenant === undefined || name === undefined ? undefined : { tenant, name };
}
