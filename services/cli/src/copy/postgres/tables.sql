-- What the copy follows, and how far it is.
create table place (
  service text primary key,
  -- Of the program: service, kinds and schools that were asked for.
  scope bytea not null,
  -- Resume here; empty before the first batch.
  cursor bytea not null default '',
  -- The snapshot is complete; from here on the tables are the state as of `moved_at` at the latest.
  live boolean not null default false,
  generation integer not null default 0,
  moved_at timestamptz not null default now()
);

-- One row for each record that the feed ever brought.
create table record (
  service text collate "C" not null,
  school_code text collate "C" not null,
  kind smallint not null,
  -- Key within the school; yearly kinds as `2026/6A1`.
  record_key text collate "C" not null,
  record_id uuid not null,
  version bigint not null,
  digest bytea not null,
  withdrawn boolean not null,
  changed_at timestamptz,
  generation integer not null,
  -- Fields under their names in the proto; absent fields are absent. Null for a withdrawn record.
  data jsonb,
  -- eduhub.<service>.v1.Record, exactly as the feed sent it. Null for a withdrawn record.
  image bytea,
  primary key (service, school_code, kind, record_key)
);
create index record_of_kind on record (service, kind) where not withdrawn;
