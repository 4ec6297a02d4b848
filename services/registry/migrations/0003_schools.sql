-- Administrative units, registered schools, school years, code lists, verification of persons.

create table admin_unit (
  commune_code text primary key check (commune_code ~ '^[0-9]{5}$'),
  province_code text not null check (province_code ~ '^[0-9]{2}$'),
  name text not null
);
create index admin_unit_province on admin_unit (province_code, commune_code);

create table code_list_version (
  singleton boolean primary key default true check (singleton),
  version bigint not null
);
insert into code_list_version (version) values (0);

create table code (
  list text not null,
  code text not null,
  name text not null,
  valid_from date,
  valid_to date,
  primary key (list, code)
);

-- A school as the Department registered it: what scopes and routes go by. Its particulars are the record that its
-- software pushes (school_record).
create table school (
  school_code text collate "C" primary key check (school_code ~ '^[0-9A-Z]{8,15}$'),
  name text not null,
  level smallint not null check (level between 1 and 5),
  commune_code text not null constraint school_commune references admin_unit,
  province_code text not null,
  directly_managed boolean not null,
  independent_group boolean not null,
  updated_at timestamptz not null default now()
);
create index school_commune_code on school (commune_code, school_code);

create table school_year (
  school_year integer primary key,
  open boolean not null
);
insert into school_year values (2025, true), (2026, true);

-- Where the verification of personal IDs stands in the change log.
create table verification_cursor (
  singleton boolean primary key default true check (singleton),
  xid bigint not null default 0,
  seq bigint not null default 0
);
insert into verification_cursor default values;

-- Verification of one person with the national population database (R-ID-1..3).
create table verification (
  record_id uuid primary key,
  school_code text not null,
  kind smallint not null,
  record_key text not null,
  -- 1 pending, 2 verified, 3 mismatch, 4 not found
  state smallint not null default 1,
  attempts integer not null default 0,
  next_at timestamptz not null default now(),
  checked_at timestamptz
);
create index verification_pending on verification (school_code, next_at) where state = 1;
create index verification_school on verification (school_code, state);
