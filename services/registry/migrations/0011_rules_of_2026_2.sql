-- Rules that came after the first pack: subjects of the grades, teachers of subjects, conduct of a year against its terms.
-- oldest-binary: 10

set local lock_timeout = '5s';

-- As data_issue_stored (0008), with 30 (teachers of subjects) and 59 (conduct of the year). A program of before asks for fewer
-- reasons, so this index serves it too.
create index data_issue_of_stored_rules on data_issue ((school_code || ''), reason)
  where closed_at is null and reason in (27, 30, 50, 53, 54, 55, 56, 57, 58, 59);
drop index data_issue_stored;

-- The pack that comes with the hub, with every rule at its usual strength. Whoever has published a later one keeps it, without the
-- new rules; a pack of the same version that is there already stays as it is.
with fresh as (
  insert into rule_pack (version, first_school_year, valid_from, note, published_by)
  values ('2026.2', 2000, '2000-01-01', 'Comes with the hub', 'eduhub')
  on conflict do nothing returning version
)
insert into rule_pack_rule (version, rule, severity)
select fresh.version, usual.rule, usual.severity from fresh cross join (values
  ('enrolment.dropout_reason_missing', 'error'),
  ('enrolment.from_school_missing', 'error'),
  ('enrolment.to_school_missing', 'warning'),
  ('enrolment.dropout_reason_without_dropout', 'warning'),
  ('enrolment.to_school_without_move', 'warning'),
  ('enrolment.type_of_move', 'warning'),
  ('enrolment.term_of_event', 'warning'),
  ('enrolment.status_date', 'warning'),
  ('pupil.tuition', 'warning'),
  ('pupil.parent_birth_year', 'warning'),
  ('pupil.disability', 'warning'),
  ('pupil.dates', 'warning'),
  ('staff.age', 'warning'),
  ('staff.recruited', 'warning'),
  ('staff.dates', 'warning'),
  ('class.combined_missing', 'warning'),
  ('class.combined_without', 'warning'),
  ('class.disbanded_missing', 'warning'),
  ('class.disbanded_without', 'warning'),
  ('class.age_group', 'warning'),
  ('class.sessions', 'warning'),
  ('class.curriculum', 'warning'),
  ('school.dates', 'warning'),
  ('result.average', 'warning'),
  ('result.learning_rating', 'warning'),
  ('result.primary_result', 'warning'),
  ('result.title', 'warning'),
  ('result.promoted', 'warning'),
  ('result.subject', 'warning'),
  ('result.curriculum', 'warning'),
  ('result.conduct_retraining', 'warning'),
  ('result.year_outcome', 'warning'),
  ('result.completed_primary', 'warning'),
  ('health.measured_on', 'warning'),
  ('health.growth', 'warning'),
  ('attendance.attended_on', 'warning'),
  ('retake.retaken_on', 'warning'),
  ('retake.curriculum', 'warning'),
  ('retake.promoted', 'warning'),
  ('graduation.grade', 'warning'),
  ('graduation.class_missing', 'warning'),
  ('graduation.fields', 'warning'),
  ('free_candidate.age', 'warning'),
  ('enrolment.status_change', 'warning'),
  ('enrolment.double', 'warning'),
  ('enrolment.age_for_grade', 'warning'),
  ('class.size', 'warning'),
  ('class.homeroom_teacher', 'warning'),
  ('class.subject_teacher', 'warning'),
  ('result.year_conduct', 'warning'),
  ('health.height_drop', 'warning'),
  ('result.not_enrolled', 'warning'),
  ('pupil.likely_duplicate', 'warning')
) as usual(rule, severity);
