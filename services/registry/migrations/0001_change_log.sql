-- Change log, push sessions, held records, data issues and seals: the tables that the platform crates changelog, ingest
-- and feed work on. The same text stands in every service that takes records; a contract test compares them.

create table feed_state (
  singleton boolean primary key default true check (singleton),
  database_id uuid not null default gen_random_uuid(),
  -- Raised by a restore: transaction ids start anew there, so older cursors must be refused.
  epoch integer not null default 1,
  pruned_xid bigint not null default 0,
  pruned_seq bigint not null default 0
);
insert into feed_state default values;

-- One thin entry per change. The row holds the newest image; the entry keeps the image that it superseded.
create table change_log (
  -- Transaction id: with seq the position. xid8 has no arithmetic and few drivers know it; as text it fits a bigint.
  xid bigint not null default pg_current_xact_id()::text::bigint,
  seq bigint generated always as identity,
  school_code text collate "C" not null,
  kind smallint not null,
  record_id uuid not null,
  record_key text collate "C" not null,
  op smallint not null check (op in (1, 2)),
  version bigint not null,
  digest bytea not null,
  before_version bigint,
  before_digest bytea,
  before_body bytea,
  before_secret bytea,
  before_withdrawn boolean,
  before_changed_at timestamptz,
  grant_id uuid,
  actor text not null,
  session_id uuid,
  changed_at timestamptz not null default now(),
  primary key (xid, seq)
);
create index change_log_record on change_log (record_id, before_version);
create index change_log_school on change_log (school_code, xid, seq);

create table push_session (
  session_id uuid primary key,
  school_code text not null,
  school_year integer not null,
  mode smallint not null,
  full_kinds smallint[] not null default '{}',
  grant_id uuid,
  actor text not null,
  last_batch integer not null default 0,
  record_count bigint not null default 0,
  -- eduhub.common.v1.PushCounts
  totals bytea not null default '',
  -- eduhub.common.v1.PushReceipt; present once the session is complete
  receipt bytea,
  traceparent text,
  -- Every change of the session has a higher transaction id.
  opened_xid bigint not null default pg_current_xact_id()::text::bigint,
  opened_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index push_session_school on push_session (school_code, opened_at);

create table push_batch (
  session_id uuid not null references push_session on delete cascade,
  number integer not null,
  digest bytea not null,
  -- eduhub.common.v1.BatchReply, so that the same batch gets the same answer
  reply bytea not null,
  primary key (session_id, number)
);

-- Keys that a FULL session has named; what is not here at its end is withdrawn.
create table push_seen (
  session_id uuid not null references push_session on delete cascade,
  kind smallint not null,
  record_key text collate "C" not null,
  primary key (session_id, kind, record_key)
);

-- Records that wait for a parent.
create table held_record (
  school_code text collate "C" not null,
  kind smallint not null,
  record_key text collate "C" not null,
  school_year integer not null,
  parent_kind smallint not null,
  parent_key text collate "C" not null,
  body bytea not null,
  secret bytea,
  grant_id uuid,
  actor text not null,
  session_id uuid,
  held_at timestamptz not null default now(),
  primary key (school_code, kind, record_key)
);
create index held_record_parent on held_record (school_code, parent_kind, parent_key);
create index held_record_age on held_record (held_at);

-- Work list of a school: one open row per record, reason and field.
create table data_issue (
  issue_id uuid primary key,
  school_code text collate "C" not null,
  kind smallint not null,
  record_key text collate "C" not null,
  reason smallint not null,
  field text not null,
  severity smallint not null,
  -- eduhub.common.v1.Problem; without values of sensitive and secret fields
  problem bytea not null,
  opened_at timestamptz not null default now(),
  closed_at timestamptz
);
create unique index data_issue_open on data_issue (school_code, kind, record_key, reason, field) where closed_at is null;
create index data_issue_school on data_issue (school_code, issue_id);

-- States fixed for review. The log is not pruned above the oldest one.
create table seal (
  seal_id uuid primary key,
  school_code text not null,
  school_year integer not null,
  dataset smallint not null,
  xid bigint not null,
  seq bigint not null,
  -- eduhub.common.v1.Seal
  head bytea not null,
  sealed_at timestamptz not null default now()
);
create index seal_position on seal (xid);
