-- The whole dictionary: columns for the counts and rules that need them, and the tables of the new kinds.
-- A new column is absent in rows written before it; they fill when the school's software sends them again.

set local lock_timeout = '5s';

-- Ethnicity is sensitive. It stands in the body of the row anyway; as a column it is for counts, which registry gives only to
-- callers who may see the class. No index: nobody looks a pupil up by it.
alter table pupil_record add column ethnicity text;
alter table class_record add column homeroom_teacher_code text;
alter table enrolment_record
  add column status_on date,
  add column from_school text,
  add column to_school text;
alter table term_result_record add column class_code text;
alter table health_record
  add column measured_on date,
  add column height_cm float8;

-- Open transfers of a school, on both sides: few rows.
create index enrolment_record_from_school on enrolment_record (from_school) where from_school is not null;
create index enrolment_record_to_school on enrolment_record (to_school) where to_school is not null;

create table attendance_record (
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
  attended_on date,
  student_code text,
  class_code text,
  status text,
  constraint attendance_record_key unique (school_code, record_key)
);

create table retake_record (
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
  learning_rating text,
  promoted boolean,
  constraint retake_record_key unique (school_code, record_key)
);

create table graduation_record (
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
  graduated boolean,
  constraint graduation_record_key unique (school_code, record_key)
);

create table free_candidate_record (
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
  personal_id_bidx bytea,
  constraint free_candidate_record_key unique (school_code, record_key)
);
create index free_candidate_record_personal_id on free_candidate_record (personal_id_bidx)
  where personal_id_bidx is not null;
