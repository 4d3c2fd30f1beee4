import type { Actor, MappingRecord, MappingRevision } from '#claims';
import type { MappingBody, RevisionBody } from '../contract/mapping.js';

/** What the repository tells, as it goes out. */
export function mappingBody({ tenant, name, kind, version, published, draft, deleted }: MappingRecord): MappingBody {
  return {
    tenant,
    name,
    kind,
    version,
    ...(published && { published: revisionBody(published) }),
    ...(draft && { draft: draftBody(draft) }),
    ...(deleted && { deleted: { by: actorBody(deleted.by), at: deleted.at.toISOString() } }),
  };
}

export function revisionBody({ number, revision, author, at, comment, rolledBackTo }: MappingRevision): RevisionBody {
  return {
    number,
    revision,
    author: actorBody(author),
    at: at.toISOString(),
    comment,
    ...(rolledBackTo !== undefined && { rolledBackTo }),
  };
}

export function draftBody({ author, at, basedOn }: NonNullable<MappingRecord['draft']>): NonNullable<MappingBody['draft']> {
  return { author: actorBody(author), at: at.toISOString(), ...(basedOn !== undefined && { basedOn }) };
}

function actorBody({ id, name, address }: Actor): Actor {
  return { id, ...(name !== undefined && { name }), ...(address !== undefined && { address }) };
}
