import type { ConfigurationIssue, DocumentIdentity } from '../mapping/mapping-document.js';
import { MappingStore, type StoredMapping } from './mapping-store.js';

/** Which document: names are unique within a tenant, for mappings and claim sets together. */
export interface MappingKey {
  /** The tenant's alias. */
  readonly tenant: string;
  readonly name: string;
}

/** Who does something, for revisions and the audit. */
export interface Actor {
  /** The object id of the person or of the application's service principal. */
  readonly id: string;
  /** How the directory names them, where the token says so. */
  readonly name?: string;
  /** The peer's address. */
  readonly address?: string;
}

/** An immutable version of a document. Making one the version in force is a publish. */
export interface MappingRevision extends MappingKey {
  /** 1, 2, 3 … within its document. */
  readonly number: number;
  /** Identifies the content: equal contents have equal revisions. It is what a sign-in's log line names. */
  readonly revision: string;
  readonly author: Actor;
  readonly at: Date;
  readonly comment: string;
  /** The number of the revision that it brought back, where it was a roll-back. */
  readonly rolledBackTo?: number;
}

/** What is being worked on. Each document has at most one draft. */
export interface MappingDraft {
  readonly author: Actor;
  readonly at: Date;
  /** The number of the revision that it started from; absent for a new document. */
  readonly basedOn?: number;
}

/** A document with all that is known of it but its contents. */
export interface MappingRecord extends MappingKey {
  /** What its newest revision is, or its draft while nothing was published. */
  readonly kind: DocumentIdentity['kind'];
  /** Changes with every change of the document, its draft included: the ETag. */
  readonly version: number;
  /** The revision in force; absent while nothing was published, and after a deletion. */
  readonly published?: MappingRevision;
  readonly draft?: MappingDraft;
  /** It is in force no more; its revisions remain, and it can be restored. */
  readonly deleted?: { readonly by: Actor; readonly at: Date };
}

export interface MappingPage {
  readonly records: readonly MappingRecord[];
  /** Where the next page starts; absent on the last one. */
  readonly next?: string;
}

/** A list is in the order of tenant and name. */
export interface MappingFilter {
  readonly tenant?: string;
  /** Part of the name, ignoring case. */
  readonly name?: string;
  /** An application id: documents whose version in force or draft names it. */
  readonly application?: string;
  readonly state?: 'published' | 'draft' | 'deleted';
  readonly after?: string;
  readonly limit: number;
}

/** A change that was made elsewhere meanwhile: `current` is the version that the caller has not seen. */
export interface Conflict {
  readonly kind: 'conflict';
  readonly current: number;
}

export interface Unknown {
  readonly kind: 'unknown';
}

/** The repository cannot be reached. `detail` is for the operator. */
export interface RepositoryUnavailable {
  readonly kind: 'unavailable';
  readonly detail: string;
}

export type Changed = { readonly kind: 'changed'; readonly record: MappingRecord };
export type Change = Changed | Conflict | Unknown | RepositoryUnavailable;
export type Publication = Change | { readonly kind: 'refused'; readonly issues: readonly ConfigurationIssue[] };

/**
 * Judges what would be in force after a publish: every document of the tenant, the candidate among them. It runs inside the
 * transaction that publishes, so that two publishes that contradict each other cannot both succeed. An empty answer lets it happen.
 */
export type PublishCheck = (inForce: readonly StoredMapping[]) => Promise<readonly ConfigurationIssue[]>;

/** One act, for the audit: who, what, when, from where. Names and numbers only, never a value of a person. */
export interface AuditEntry {
  readonly at: Date;
  readonly actor: Actor;
  /** Such as `mapping.publish`, `mapping.preview`, `cache.erase`. */
  readonly action: string;
  readonly tenant?: string;
  /** The document or whatever else it was done to. */
  readonly target?: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

export interface AuditFilter {
  readonly tenant?: string;
  readonly action?: string;
  readonly target?: string;
  readonly actor?: string;
  readonly from?: Date;
  readonly to?: Date;
  readonly after?: string;
  readonly limit: number;
}

export interface AuditPage {
  /** The newest first. */
  readonly entries: readonly AuditEntry[];
  readonly next?: string;
}

export type Answer<Found> = ({ readonly kind: 'found' } & Found) | Unknown | RepositoryUnavailable;

/**
 * A store in which mappings are worked on: drafts, immutable revisions, publish and roll-back, each of them one transaction.
 *
 * Contract, checked by one conformance suite for every adapter:
 * - Every change names the `version` that its author saw (`expected`; 0 for a document that must not exist yet) and is a `conflict`
 *   where that is no longer the present one. Nothing is changed by halves, whenever the process ends.
 * - A change and its audit entry are one transaction.
 * - A replica learns of a publish by `onPublish`, its own publishes included, and can always find out by `load`.
 * - Of two changes to one tenant's documents in force, the second is judged with the first in force.
 */
export abstract class MappingRepository extends MappingStore {
  abstract list(filter: MappingFilter): Promise<({ readonly kind: 'found' } & MappingPage) | RepositoryUnavailable>;
  abstract read(key: MappingKey): Promise<Answer<{ readonly record: MappingRecord }>>;
  abstract readDraft(
    key: MappingKey,
  ): Promise<Answer<{ readonly draft: MappingDraft; readonly document: unknown; readonly version: number }>>;
  abstract readRevision(
    key: MappingKey,
    number: number,
  ): Promise<Answer<{ readonly revision: MappingRevision; readonly document: unknown }>>;
  /** The newest first. */
  abstract revisions(
    key: MappingKey,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<Answer<{ readonly revisions: readonly MappingRevision[]; readonly next?: string }>>;

  /**
   * Makes the document the draft, of a new document where `expected` is 0. A deleted document gets a draft too. `refused` where it
   * cannot be kept whatever it says: it is not JSON, larger than 256 KB, or its key is not made of names.
   */
  abstract saveDraft(key: MappingKey, document: unknown, expected: number, actor: Actor): Promise<Publication>;
  abstract discardDraft(key: MappingKey, expected: number, actor: Actor): Promise<Change>;
  /** Makes the draft a revision and puts it in force. `unknown` where there is no draft. */
  abstract publish(key: MappingKey, expected: number, comment: string, actor: Actor, check: PublishCheck): Promise<Publication>;
  /** Makes an earlier revision's content a new revision and puts it in force; a draft is left as it is. */
  abstract rollBack(
    key: MappingKey,
    to: number,
    expected: number,
    comment: string,
    actor: Actor,
    check: PublishCheck,
  ): Promise<Publication>;
  /** Takes the document out of force. */
  abstract delete(key: MappingKey, expected: number, actor: Actor, check: PublishCheck): Promise<Publication>;
  /** Puts a deleted document's last revision in force again. */
  abstract restore(key: MappingKey, expected: number, actor: Actor, check: PublishCheck): Promise<Publication>;

  abstract record(entry: AuditEntry): Promise<{ readonly kind: 'recorded' } | RepositoryUnavailable>;
  abstract audit(filter: AuditFilter): Promise<({ readonly kind: 'found' } & AuditPage) | RepositoryUnavailable>;
}
