import type { Actor, MappingRecord } from '#claims';
import { Column, Entity, PrimaryColumn, VirtualColumn } from 'typeorm';

/** Everything of the store lies in this schema of its database. */
export const schema = 'claimbridge';

/** A mapping or claim set by its name. Its contents are in its revisions and its draft. */
@Entity({ schema, name: 'document' })
export class DocumentRow {
  @PrimaryColumn({ type: 'text' })
  tenant: string;

  @PrimaryColumn({ type: 'text' })
  name: string;

  @Column({ type: 'int' })
  version: number;

  /** The number of the revision in force. */
  @Column({ type: 'int', nullable: true })
  published: number | null;

  @Column({ type: 'jsonb', name: 'deleted_by', nullable: true })
  deletedBy: Actor | null;

  @Column({ type: 'timestamptz', name: 'deleted_at', nullable: true })
  deletedAt: Date | null;

  /** Of its newest revision, or of its draft while there is none. */
  @VirtualColumn({
    type: 'text',
    query: (row) => `coalesce(
      (select kind from ${schema}.revision where tenant = ${row}.tenant and name = ${row}.name order by number desc limit 1),
      (select kind from ${schema}.draft where tenant = ${row}.tenant and name = ${row}.name),
      'mapping')`,
  })
  kind: MappingRecord['kind'];

  /** Where a query joins it. */
  revision?: RevisionRow | null;
  draft?: DraftRow | null;
}

@Entity({ schema, name: 'draft' })
export class DraftRow {
  @PrimaryColumn({ type: 'text' })
  tenant: string;

  @PrimaryColumn({ type: 'text' })
  name: string;

  /** JSON as its author ordered it. A text, because jsonb holds neither NUL nor lone surrogates. */
  @Column({ type: 'text', select: false })
  content: string;

  /** The application ids that it names, in lower case. */
  @Column({ type: 'text', array: true, select: false })
  applications: string[];

  @Column({ type: 'jsonb' })
  author: Actor;

  @Column({ type: 'timestamptz' })
  at: Date;

  @Column({ type: 'int', name: 'based_on', nullable: true })
  basedOn: number | null;
}

/** Never changed and never deleted: the database refuses it. */
@Entity({ schema, name: 'revision' })
export class RevisionRow {
  @PrimaryColumn({ type: 'text' })
  tenant: string;

  @PrimaryColumn({ type: 'text' })
  name: string;

  @PrimaryColumn({ type: 'int' })
  number: number;

  /** Of the content. */
  @Column({ type: 'text' })
  revision: string;

  @Column({ type: 'text', select: false })
  content: string;

  @Column({ type: 'text', array: true, select: false })
  applications: string[];

  @Column({ type: 'jsonb' })
  author: Actor;

  @Column({ type: 'timestamptz' })
  at: Date;

  @Column({ type: 'text' })
  comment: string;

  @Column({ type: 'int', name: 'rolled_back_to', nullable: true })
  rolledBackTo: number | null;
}

/** Only ever inserted; read through the function `read_audit`. */
@Entity({ schema, name: 'audit' })
export class AuditRow {
  @PrimaryColumn({ type: 'bigint', generated: 'identity', generatedIdentity: 'ALWAYS' })
  id: string;

  @Column({ type: 'timestamptz' })
  at: Date;

  @Column({ type: 'jsonb' })
  actor: Actor;

  @Column({ type: 'text' })
  action: string;

  @Column({ type: 'text', nullable: true })
  tenant: string | null;

  @Column({ type: 'text', nullable: true })
  target: string | null;

  @Column({ type: 'jsonb' })
  details: Readonly<Record<string, string | number | boolean>>;
}

/** One row: how often what is in force was changed. Its change tells the replicas. */
@Entity({ schema, name: 'publication' })
export class PublicationRow {
  @PrimaryColumn({ type: 'boolean' })
  single: true;

  @Column({ type: 'int' })
  sequence: number;
}
