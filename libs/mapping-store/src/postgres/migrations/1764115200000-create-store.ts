import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Documents, drafts, revisions and the audit. What must not happen, the database refuses: a change of a revision or of an audit
 * entry, and a document whose revision in force does not exist.
 */
export class CreateStore1764115200000 implements MigrationInterface {
  readonly name = 'CreateStore1764115200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table claimbridge.document (
        tenant text collate "C" not null,
        name text collate "C" not null,
        version integer not null,
        published integer,
        deleted_by jsonb,
        deleted_at timestamptz,
        primary key (tenant, name),
        check (deleted_at is null or published is null)
      );

      create table claimbridge.draft (
        tenant text collate "C" not null,
        name text collate "C" not null,
        content text not null,
        applications text[] not null,
        author jsonb not null,
        at timestamptz not null,
        based_on integer,
        primary key (tenant, name),
        foreign key (tenant, name) references claimbridge.document
      );

      create table claimbridge.revision (
        tenant text collate "C" not null,
        name text collate "C" not null,
        number integer not null check (number > 0),
        revision text not null,
        content text not null,
        applications text[] not null,
        author jsonb not null,
        at timestamptz not null,
        comment text not null,
        rolled_back_to integer,
        primary key (tenant, name, number),
        foreign key (tenant, name) references claimbridge.document,
        foreign key (tenant, name, rolled_back_to) references claimbridge.revision
      );
      create index revision_content on claimbridge.revision (revision);
      alter table claimbridge.document
        add foreign key (tenant, name, published) references claimbridge.revision;

      create table claimbridge.audit (
        id bigint generated always as identity primary key,
        at timestamptz not null,
        actor jsonb not null,
        action text not null,
        tenant text,
        target text,
        details jsonb not null
      );

      create table claimbridge.publication (
        single boolean primary key default true check (single),
        sequence integer not null
      );
      insert into claimbridge.publication (sequence) values (0);

      create function claimbridge.refuse_change() returns trigger language plpgsql as $$
      begin
        raise exception '% is never changed', tg_table_name using errcode = 'restrict_violation';
      end $$;
      create trigger immutable before update or delete or truncate on claimbridge.revision
        for each statement execute function claimbridge.refuse_change();
      create trigger immutable before update or delete or truncate on claimbridge.audit
        for each statement execute function claimbridge.refuse_change();

      create function claimbridge.tell_publication() returns trigger language plpgsql as $$
      begin
        perform pg_notify('claimbridge_publish', new.sequence::text);
        return null;
      end $$;
      create trigger tell after update on claimbridge.publication
        for each row execute function claimbridge.tell_publication();

      create function claimbridge.read_audit(
        wanted_tenant text, wanted_action text, wanted_target text, wanted_actor text,
        since timestamptz, until timestamptz, before bigint, at_most integer
      ) returns setof claimbridge.audit
      language sql stable security definer set search_path = pg_catalog, pg_temp as $$
        select * from claimbridge.audit
        where (wanted_tenant is null or tenant = wanted_tenant)
          and (wanted_action is null or action = wanted_action)
          and (wanted_target is null or target = wanted_target)
          and (wanted_actor is null or actor->>'id' = wanted_actor)
          and (since is null or at >= since)
          and (until is null or at < until)
          and (before is null or id < before)
        order by id desc
        limit at_most
      $$;
      revoke all on function claimbridge.read_audit from public;

      create function claimbridge.grant_service(service name, reads_audit boolean default true) returns void
      language plpgsql as $$
      begin
        execute format('grant usage on schema claimbridge to %I', service);
        execute format('grant select on claimbridge.migration to %I', service);
        execute format('grant select, insert, update on claimbridge.document to %I', service);
        execute format('grant select, insert, update, delete on claimbridge.draft to %I', service);
        execute format('grant select, insert on claimbridge.revision to %I', service);
        execute format('grant select, update on claimbridge.publication to %I', service);
        execute format('grant insert on claimbridge.audit to %I', service);
        if reads_audit then
          execute format('grant execute on function claimbridge.read_audit to %I', service);
        end if;
      end $$;
      revoke all on function claimbridge.grant_service from public;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop function claimbridge.grant_service;
      drop function claimbridge.read_audit;
      drop table claimbridge.publication, claimbridge.audit, claimbridge.draft;
      alter table claimbridge.document drop constraint document_tenant_name_published_fkey;
      drop table claimbridge.revision, claimbridge.document;
      drop function claimbridge.tell_publication, claimbridge.refuse_change;
    `);
  }
}
