-- Versions of code lists, mapping tables of vendors, units of before July 2025, levels and campuses of registered schools.

set local lock_timeout = '5s';

-- Version of the lists with which an entry got its present content. An entry is never deleted; it ends by a last day.
alter table code add column since bigint not null default 0;

-- What an entry was before: it held from version `since` until (not in) version `until`.
create table code_past (
  list text collate "C" not null,
  code text collate "C" not null,
  name text not null,
  valid_from date,
  valid_to date,
  since bigint not null,
  until bigint not null,
  primary key (list, code, until)
);

-- One row for each list that a version changed. Versions are numbered over all lists, so that one number says what a process
-- or a copy has; the row of code_list_version is locked while a version is made, so they come in the order of their commits.
create table code_list_change (
  version bigint not null,
  list text collate "C" not null,
  changed_at timestamptz not null default now(),
  changed_by text not null,
  note text not null,
  -- Of the list's whole content at this version; the formula is in code_list.proto.
  digest bytea not null,
  codes integer not null,
  added integer not null,
  changed integer not null,
  ended integer not null,
  primary key (version, list)
);
create index code_list_change_list on code_list_change (list, version);

-- The lists as they are when versions begin to be kept.
with next as (
  update code_list_version set version = version + 1 where exists (select 1 from code) returning version
), stamped as (
  select code.list, code.code, name, valid_from, valid_to, next.version from code, next
)
insert into code_list_change (version, list, changed_by, note, digest, codes, added, changed, ended)
select version, list, 'eduhub', 'before versions were kept',
  sha256(convert_to(string_agg(
    code || E'\t' || name || E'\t' || coalesce(valid_from::text, '') || E'\t' || coalesce(valid_to::text, '') || E'\n',
    '' order by code collate "C"), 'UTF8')),
  count(*), count(*), 0, 0
from stamped group by version, list;
update code set since = (select version from code_list_version);

-- What a vendor's software says for a code. A version is whole and stays; the newest one of a vendor and list is in force.
create table code_mapping_set (
  vendor_code text collate "C" not null,
  list text collate "C" not null,
  version bigint not null,
  changed_at timestamptz not null default now(),
  changed_by text not null,
  note text not null,
  primary key (vendor_code, list, version)
);
create table code_mapping (
  vendor_code text collate "C" not null,
  list text collate "C" not null,
  version bigint not null,
  value text collate "C" not null,
  code text not null,
  primary key (vendor_code, list, version, value),
  foreign key (vendor_code, list, version) references code_mapping_set
);

-- Units of three tiers, until 30 June 2025: provinces (2 digits), districts (3), communes (5). Ten thousand rows that are asked for
-- seldom: the key is index enough.
create table former_unit (
  code text collate "C" primary key check (code ~ '^[0-9]{2}$|^[0-9]{3}$|^[0-9]{5}$'),
  name text not null,
  -- District of a commune, province of a district.
  parent_code text collate "C" not null,
  -- Whether it went as a whole.
  whole boolean not null,
  -- Units of today that took it. None for a commune: not known. Districts went nowhere; what became of their communes did.
  successors text[] not null
);

alter table admin_unit add column province_name text not null default '';

-- All levels of an inter-level school, the main one included; empty: only the main one.
alter table school
  add column levels smallint[] not null default '{}',
  add column ownership text not null default '';

-- Campuses as the Department registered them. Their particulars are the records that the school's software pushes.
create table registered_campus (
  school_code text collate "C" not null references school,
  campus_code text collate "C" not null check (campus_code ~ '^[0-9A-Z]{1,15}$'),
  name text not null,
  commune_code text not null,
  address_line text not null default '',
  updated_at timestamptz not null default now(),
  primary key (school_code, campus_code)
);
