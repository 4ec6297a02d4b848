-- Marks of what concurrent pushes may share.
-- oldest-binary: 8

-- What transactions wrote that another school may write at the same moment in a way that concerns it: the same personal ID, the
-- same pupil. Two that run at once do not see each other's rows; the end of the later session compares their marks instead of
-- looking for everything once more (crate eduhub-ingest, `marks`). Kept for two days: a session that is older looks for everything.
create table push_mark (
  xid bigint not null default pg_current_xact_id()::text::bigint,
  school_code text collate "C" not null,
  kind smallint not null,
  made_at timestamptz not null default now(),
  -- 24 bytes each: the mark, then the id of the record that has it.
  marks bytea not null
);
create index push_mark_xid on push_mark (xid);
create index push_mark_age on push_mark (made_at);
-- Random bytes: nothing to gain by packing them.
alter table push_mark alter column marks set storage external;

-- The oldest transaction that ran when the session was opened: what ran beside the session is not older. Unknown for sessions
-- of before.
alter table push_session add column opened_xmin bigint;
alter table push_session alter column opened_xmin set default pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
