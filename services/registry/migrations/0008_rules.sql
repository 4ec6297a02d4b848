-- Rules over stored data, transfers, and packs of rules.

set local lock_timeout = '5s';

-- Who is enrolled where: double enrolments, results without one, transfers.
create index enrolment_record_student on enrolment_record (student_code, school_year) where student_code is not null;
-- Pupils of a class. An expression, so that a plan made while the table was empty can't take the index of all keys of a school
-- for it.
create index enrolment_record_class on enrolment_record (((school_code || '/' || class_code) collate "C"), school_year)
  where student_code is not null;
-- Moves, of all schools together a few in a hundred.
create index enrolment_record_moved on enrolment_record (school_code, school_year, record_id)
  where student_status in ('02', '04', '06', '08', '10', '11') or from_school is not null;
-- Pupils who may be the same person. All are compared with the few who have no personal ID, and these few with all.
create index pupil_record_born on pupil_record (birth_date, sex) where personal_id_bidx is not null;
create index pupil_record_born_unnumbered on pupil_record (birth_date, sex) where personal_id_bidx is null;
-- Open issues of rules over stored data: few, and looked through with every batch that may close some. An expression for the
-- same reason as above: a school may have thousands of other issues.
-- 27 and 50 to 58 are the numbers of their reasons in eduhub.common.v1.Reason.
create index data_issue_stored on data_issue ((school_code || ''), reason)
  where closed_at is null and reason in (27, 50, 53, 54, 55, 56, 57, 58);

-- Packs of rules between fields and over stored data. A pack is never changed; a new one takes its place from its first day.
create table rule_pack (
  version text collate "C" primary key check (version ~ '^[0-9]{4}\.[0-9]{1,3}$'),
  -- In force for pushes of this school year and later ones ...
  first_school_year integer not null,
  -- ... on and after this day.
  valid_from date not null,
  note text not null,
  published_at timestamptz not null default now(),
  published_by text not null
);

-- What a pack says of a rule; a rule that it does not name, or not on the day, is off.
create table rule_pack_rule (
  version text collate "C" not null references rule_pack on delete cascade,
  rule text collate "C" not null,
  severity text not null check (severity in ('off', 'warning', 'error')),
  valid_from date,
  valid_to date,
  primary key (version, rule)
);

-- The first pack: every rule at its usual strength.
insert into rule_pack (version, first_school_year, valid_from, note, published_by)
values ('2026.1', 2000, '2000-01-01', 'Comes with the hub', 'eduhub');
insert into rule_pack_rule (version, rule, severity) values
  ('2026.1', 'enrolment.dropout_reason_missing', 'error'),
  ('2026.1', 'enrolment.from_school_missing', 'error'),
  ('2026.1', 'enrolment.to_school_missing', 'warning'),
  ('2026.1', 'enrolment.dropout_reason_without_dropout', 'warning'),
  ('2026.1', 'enrolment.to_school_without_move', 'warning'),
  ('2026.1', 'enrolment.type_of_move', 'warning'),
  ('2026.1', 'enrolment.term_of_event', 'warning'),
  ('2026.1', 'enrolment.status_date', 'warning'),
  ('2026.1', 'pupil.tuition', 'warning'),
  ('2026.1', 'pupil.parent_birth_year', 'warning'),
  ('2026.1', 'pupil.disability', 'warning'),
  ('2026.1', 'pupil.dates', 'warning'),
  ('2026.1', 'staff.age', 'warning'),
  ('2026.1', 'staff.recruited', 'warning'),
  ('2026.1', 'staff.dates', 'warning'),
  ('2026.1', 'class.combined_missing', 'warning'),
  ('2026.1', 'class.combined_without', 'warning'),
  ('2026.1', 'class.disbanded_missing', 'warning'),
  ('2026.1', 'class.disbanded_without', 'warning'),
  ('2026.1', 'class.age_group', 'warning'),
  ('2026.1', 'class.sessions', 'warning'),
  ('2026.1', 'school.dates', 'warning'),
  ('2026.1', 'result.average', 'warning'),
  ('2026.1', 'result.learning_rating', 'warning'),
  ('2026.1', 'result.primary_result', 'warning'),
  ('2026.1', 'result.title', 'warning'),
  ('2026.1', 'result.promoted', 'warning'),
  ('2026.1', 'result.subject', 'warning'),
  ('2026.1', 'result.conduct_retraining', 'warning'),
  ('2026.1', 'result.year_outcome', 'warning'),
  ('2026.1', 'result.completed_primary', 'warning'),
  ('2026.1', 'health.measured_on', 'warning'),
  ('2026.1', 'health.growth', 'warning'),
  ('2026.1', 'attendance.attended_on', 'warning'),
  ('2026.1', 'retake.retaken_on', 'warning'),
  ('2026.1', 'retake.promoted', 'warning'),
  ('2026.1', 'graduation.grade', 'warning'),
  ('2026.1', 'graduation.class_missing', 'warning'),
  ('2026.1', 'graduation.fields', 'warning'),
  ('2026.1', 'free_candidate.age', 'warning'),
  ('2026.1', 'enrolment.status_change', 'warning'),
  ('2026.1', 'enrolment.double', 'warning'),
  ('2026.1', 'enrolment.age_for_grade', 'warning'),
  ('2026.1', 'class.size', 'warning'),
  ('2026.1', 'class.homeroom_teacher', 'warning'),
  ('2026.1', 'health.height_drop', 'warning'),
  ('2026.1', 'result.not_enrolled', 'warning'),
  ('2026.1', 'pupil.likely_duplicate', 'warning');
