import { identifyDocument, type MappingKey, type StoredMapping } from '#claims';
import type { z } from 'zod';
import type { ClaimMappingService } from '../../mapping/claim-mapping.service.js';
import type { MappingBody, RevisionBody, mappingFilter, mappingPage } from '../contract/mapping.js';

interface Document {
  readonly key: MappingKey;
  readonly stored: StoredMapping;
  readonly document: Readonly<Record<string, unknown>>;
}

const author = { id: 'files' };

/** The mappings in force, from memory: what there is to read where they are files. */
export class InForceView {
  constructor(private readonly mappings: ClaimMappingService) {}

  get documents(): readonly Document[] {
    return this.mappings.stored.flatMap((stored) => {
      const document = documentOf(stored);
      const { tenant, name } = identifyDocument(document);
      return document && tenant !== undefined && name !== undefined ? [{ key: { tenant, name }, stored, document }] : [];
    });
  }

  find({ tenant, name }: MappingKey): Document | undefined {
    return this.documents.find(({ key }) => key.tenant === tenant && key.name === name);
  }

  page(filter: z.output<typeof mappingFilter>): z.output<typeof mappingPage> {
    const part = filter.name?.toLowerCase();
    const matching = this.documents
      .filter(
        ({ key, document }) =>
          (filter.tenant === undefined || key.tenant === filter.tenant) &&
          (part === undefined || key.name.includes(part)) &&
          (filter.application === undefined || names(document, filter.application)) &&
          (filter.state === undefined || filter.state === 'published') &&
          (filter.after === undefined || placeOf(key) > filter.after),
      )
      .toSorted((left, right) => (placeOf(left.key) < placeOf(right.key) ? -1 : 1));
    const items = matching.slice(0, filter.limit);
    const last = items.at(-1);
    return {
      items: items.map((each) => this.body(each)),
      ...(matching.length > items.length && last && { next: placeOf(last.key) }),
    };
  }

  /** Files have neither versions nor numbers: the version is 0, and what is in force is number 1. */
  body({ key, stored, document }: Document): MappingBody {
    return { ...key, kind: identifyDocument(document).kind, version: 0, published: this.revision(stored) };
  }

  revision({ revision }: StoredMapping): RevisionBody {
    const at = this.mappings.state.snapshot.asOf ?? new Date(0);
    return { number: 1, revision, author, at: at.toISOString(), comment: '' };
  }
}

/** The document of a stored mapping, where it is one at all. */
export function documentOf({ content }: StoredMapping): Readonly<Record<string, unknown>> | undefined {
  if (content.kind !== 'document' || typeof content.document !== 'object' || content.document === null) return undefined;
  return content.document as Readonly<Record<string, unknown>>;
}

function placeOf({ tenant, name }: MappingKey): string {
  return `${tenant}/${name}`;
}

function names({ applications }: Readonly<Record<string, unknown>>, application: string): boolean {
  return (
    Array.isArray(applications) && applications.some((each) => typeof each === 'string' && each.toLowerCase() === application)
  );
}
