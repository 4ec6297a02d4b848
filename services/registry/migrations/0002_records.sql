-- One table per kind of record: common columns, then the typed columns that the dictionary marks (`column: true`).
-- `body` is the encoded message without secrets; `secret` is sealed (AEAD) with the record's id as additional data.

create table school_record (
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
  level_group text,
  commune_code text,
  constraint school_record_key unique (school_code, record_key)
);

create table campus_record (
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
  constraint campus_record_key unique (school_code, record_key)
);

create table class_record (
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
  name text,
  grade text,
  disbanded boolean,
  constraint class_record_key unique (school_code, record_key)
);

create table pupil_record (
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
  full_name text,
  birth_date date,
  sex text,
  personal_id_bidx bytea,
  constraint pupil_record_key unique (school_code, record_key)
);
create index pupil_record_personal_id on pupil_record (personal_id_bidx) where personal_id_bidx is not null;

create table staff_record (
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
  full_name text,
  birth_date date,
  sex text,
  personal_id_bidx bytea,
  staff_status text,
  staff_group text,
  constraint staff_record_key unique (school_code, record_key)
);
create index staff_record_personal_id on staff_record (personal_id_bidx) where personal_id_bidx is not null;

create table enrolment_record (
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
  student_code text,
  class_code text,
  grade text,
  student_status text,
  constraint enrolment_record_key unique (school_code, record_key)
);

create table term_result_record (
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
  term text,
  student_code text,
  learning_rating text,
  conduct text,
  constraint term_result_record_key unique (school_code, record_key)
);

create table health_record (
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
  student_code text,
  constraint health_record_key unique (school_code, record_key)
);
