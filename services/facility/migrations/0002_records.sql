-- One table per kind of record: common columns, then the typed columns that the dictionary marks (`column: true`).
-- `body` is the encoded message without secrets; `secret` is sealed (AEAD) with the record's id as additional data.

create table room_record (
  record_id uuid primary key,
  school_code text collate "C" not null,
  school_year integer not null,
  record_key text collate "C" not null,
  version bigint not null check (version > 0),
  digest bytea not null,
  body bytea not null,
  secret bytea,
  withdrawn boolean not null,
  xid bigint not null,
  seq bigint not null,
  changed_at timestamptz not null,
  room_type text,
  campus_code text,
  building_grade text,
  constraint room_record_key unique (school_code, record_key)
);
