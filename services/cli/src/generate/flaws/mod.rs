//! Flaws of records: for each rule between fields, and for those over stored data that one record can break, a record that breaks
//! it and nothing else.
mod pairs;
mod table;

pub use table::Flaw;

use super::chance::{Chance, happens, pick};
use super::defects::{Defect, Effect, Truth};
use super::plan::School;
use super::school::Content;
use eduhub_proto::registry::v1::{Record, record::Record as Any};
use std::collections::HashSet;

/// What a flaw may need to know of its school.
pub struct Around {
    /// School year by its first year.
    pub school_year: i32,
    /// Codes of the classes.
    pub classes: Vec<String>,
}

fn kind_name<R: eduhub_proto::dictionary::Record>() -> &'static str {
    R::META.kind().as_str_name().trim_start_matches("KIND_")
}

impl Flaw {
    /// True for a flaw that only rules over stored data find.
    pub fn is_between_records(self) -> bool {
        matches!(
            self,
            Flaw::GradeOfAnotherAge
                | Flaw::HomeroomNobody
                | Flaw::SubjectTeacherNobody
                | Flaw::YearConductDiffers
                | Flaw::ResultOfAnotherClass
        )
    }
}

/// Plants flaws on sound records of a school: each record with this chance, and each flaw once at the first school of its kind
/// of institution. No pupil has two, or one beside a defect of another sort.
pub fn plant(rng: &mut Chance, school: &School, share: f64, school_year: i32, content: &mut Content) {
    if share <= 0.0 {
        return;
    }
    let mut spent: HashSet<String> = content.truth.iter().map(|t| t.record_key.clone()).collect();
    spent.extend(content.truth.iter().filter_map(|t| Some(t.record_key.split_once('/')?.1.to_owned())));
    // Of a pupil who is enrolled twice by what was planted.
    let doubled = content.records.iter().filter_map(|r| match &r.record {
        Some(Any::Enrolment(e)) if spent.contains(&e.enrolment_id) => Some(e.student_code.clone()),
        _ => None,
    });
    let doubled: Vec<String> = doubled.collect();
    spent.extend(doubled);
    let classes = content.records.iter().filter_map(|r| match &r.record {
        Some(Any::Class(c)) => Some(c.class_code.clone()),
        _ => None,
    });
    let around = Around { school_year, classes: classes.collect() };
    let mut owed: Vec<Flaw> = if school.first { Flaw::ALL.to_vec() } else { vec![] };
    for record in &mut content.records {
        let Some(any) = record.record.as_mut() else { continue };
        let (kind, key, person) = about(any);
        let due = owed.iter().position(|flaw| flaw.kind() == kind && flaw.fits(any, &around));
        if spent.contains(&key) || spent.contains(&person) || !(due.is_some() || happens(rng, share)) {
            continue;
        }
        let flaw = match due {
            Some(at) => Some(owed.swap_remove(at)),
            None => {
                let of_kind: Vec<Flaw> = Flaw::ALL.iter().copied().filter(|f| f.kind() == kind).collect();
                if of_kind.is_empty() { None } else { Some(*pick(rng, &of_kind)) }
            }
        };
        let Some(flaw) = flaw else { continue };
        let sound = any.clone();
        let Some(field) = flaw.plant(any, &around) else { continue };
        spent.insert(person);
        if flaw.expected().1 == Effect::Error {
            content.fixed.push(Record { record: Some(sound) });
        }
        let key = about(any).1;
        if matches!(flaw, Flaw::CandidateOfTwelve | Flaw::StaffOfSixteen) {
            content.truth.push(Defect::MissingId.truth(&school.school_code, kind, key.clone()));
        }
        content.truth.push(truth(flaw, &school.school_code, key, field));
    }
    pairs::plant(rng, school, share, school_year, &spent, content);
}

impl Flaw {
    fn fits(self, record: &Any, around: &Around) -> bool {
        self.plant(&mut record.clone(), around).is_some()
    }
}

fn truth(flaw: Flaw, school_code: &str, record_key: String, field: String) -> Truth {
    let (reason, severity) = flaw.expected();
    Truth {
        school_code: school_code.to_owned(),
        kind: flaw.kind().to_owned(),
        record_key,
        defect: Defect::Flaw(flaw),
        expected_reason: reason.to_owned(),
        severity,
        field,
        also_population_mismatch: false,
    }
}

/// Kind of a record, its key, and whom it is about: the key itself unless it is a pupil's.
fn about(record: &Any) -> (&'static str, String, String) {
    fn of<R: eduhub_proto::dictionary::Record>(
        r: &R,
        person: Option<&String>,
    ) -> (&'static str, String, String) {
        let key = eduhub_rules::record_key(r);
        (kind_name::<R>(), key.clone(), person.cloned().unwrap_or(key))
    }
    match record {
        Any::School(r) => of(r, None),
        Any::Campus(r) => of(r, None),
        Any::Class(r) => of(r, None),
        Any::Pupil(r) => of(r, Some(&r.student_code)),
        Any::Staff(r) => of(r, None),
        Any::Enrolment(r) => of(r, Some(&r.student_code)),
        Any::TermResult(r) => of(r, Some(&r.student_code)),
        Any::Health(r) => of(r, Some(&r.student_code)),
        Any::Attendance(r) => of(r, Some(&r.student_code)),
        Any::Retake(r) => of(r, Some(&r.student_code)),
        Any::Graduation(r) => of(r, Some(&r.student_code)),
        Any::FreeCandidate(r) => of(r, Some(&r.student_code)),
    }
}
