-- The two roles of one service and its schema; SERVICE stands for its short name. Read by templates/postgres.yaml and by
-- scripts/kube-secrets, which add database and passwords. Runs as superuser, again and again without harm.
do $$ begin
  if not exists (select from pg_roles where rolname = 'eduhub_SERVICE_migrate') then create role eduhub_SERVICE_migrate; end if;
  if not exists (select from pg_roles where rolname = 'eduhub_SERVICE') then create role eduhub_SERVICE; end if;
end $$;
-- One owns the schema and what migrations make in it; the other reads and writes the rows.
create schema if not exists SERVICE authorization eduhub_SERVICE_migrate;
grant usage on schema SERVICE to eduhub_SERVICE;
alter default privileges for role eduhub_SERVICE_migrate in schema SERVICE
  grant select, insert, update, delete on tables to eduhub_SERVICE;
alter default privileges for role eduhub_SERVICE_migrate in schema SERVICE
  grant usage, select, update on sequences to eduhub_SERVICE;
grant select, insert, update, delete on all tables in schema SERVICE to eduhub_SERVICE;
grant usage, select, update on all sequences in schema SERVICE to eduhub_SERVICE;
