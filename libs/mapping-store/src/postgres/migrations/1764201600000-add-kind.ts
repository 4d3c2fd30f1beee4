import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a document is, beside its content, so that a list of documents reads no contents. The database works it out, so that what the
 * previous version of the service writes has it as well.
 */
export class AddKind1764201600000 implements MigrationInterface {
  readonly name = 'AddKind1764201600000';

  async up(runner: QueryRunner): Promise<void> {
    // Escapes are blotted out first: json has no text for NUL and lone surrogates, and no key of ours has an escape.
    await runner.query(`
      create function claimbridge.kind_of(content text) returns text
      language sql immutable strict parallel safe set search_path = pg_catalog, pg_temp as $$
        select case
          when (regexp_replace(content, '\\\\(u[0-9a-fA-F]{4}|.)', '_', 'g')::json -> 'claimSet') is null then 'mapping'
          else 'claimSet'
        end
      $$;
      grant execute on function claimbridge.kind_of to public;
      alter table claimbridge.draft add column kind text not null generated always as (claimbridge.kind_of(content)) stored;
      alter table claimbridge.revision add column kind text not null generated always as (claimbridge.kind_of(content)) stored;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table claimbridge.revision drop column kind;
      alter table claimbridge.draft drop column kind;
      drop function claimbridge.kind_of;
    `);
  }
}
