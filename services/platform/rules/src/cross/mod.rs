//! Rules between the fields of one record: what no annotation of a single field can say (domain.md B.3, C.1 to C.10).
//!
//! One file per entity. Every rule has a name in [`Rule`], and its severity is that of the pack in force
//! ([`RulePack`](crate::RulePack)).

mod assessment;
mod class;
mod curriculum;
mod enrolment;
mod final_result;
mod health;
mod people;
mod result;
mod rule;
mod school;
mod years;

pub use assessment::{Learning, Tenths, learning, promoted, term_average, year_average, year_conduct};
pub use enrolment::{MOVED_IN, MOVED_OUT, in_class, may_follow};
pub use rule::{NotARule, Rule, RulePack, Strength};

use eduhub_faults::{Problem, Severity, error, warning};
use eduhub_proto::registry::v1 as registry;
use std::any::Any;
use time::Date;

/// What a record is judged by.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub pack: &'a RulePack,
    pub today: Date,
    /// School year of the push, by its first calendar year; none for records checked outside of one.
    pub school_year: Option<i32>,
}

/// Findings of a record, each under the severity of its rule.
pub(crate) struct Found<'f> {
    pack: &'f RulePack,
    out: &'f mut Vec<Problem>,
}

impl Found<'_> {
    /// A finding about a field, by its path.
    fn at(&mut self, rule: Rule, field: impl AsRef<str>) {
        self.expecting(rule, field, &[]);
    }

    /// The same, with the values that would agree.
    fn expecting(&mut self, rule: Rule, field: impl AsRef<str>, expected: &[&str]) {
        let mut problem = match self.pack.strength(rule) {
            Strength::Off => return,
            Strength::Warning => warning(rule.reason(), field.as_ref()),
            Strength::Error => error(rule.reason(), field.as_ref()),
        };
        problem.suggestions = expected.iter().map(|text| (*text).to_owned()).collect();
        self.out.push(problem);
    }
}

/// Adds what the rules between the fields of a record find. Only for records whose fields are sound by themselves: a
/// contradiction with a misspelt code is the misspelling.
pub(crate) fn check<R: 'static>(record: &R, judge: &Judge<'_>, out: &mut Vec<Problem>) {
    if out.iter().any(|p| p.severity == Severity::Error as i32) {
        return;
    }
    let record: &dyn Any = record;
    let mut found = Found { pack: judge.pack, out };
    macro_rules! judge {
        ($($kind:ident => $rules:path),* $(,)?) => {
            $(if let Some(record) = record.downcast_ref::<registry::$kind>() {
                return $rules(record, judge, &mut found);
            })*
        };
    }
    judge! {
        Pupil => people::pupil,
        TermResult => result::term_result,
        Enrolment => enrolment::enrolment,
        Health => health::health,
        Attendance => health::attendance,
        Staff => people::staff,
        Class => class::class,
        School => school::school,
        Retake => final_result::retake,
        Graduation => final_result::graduation,
        FreeCandidate => final_result::free_candidate,
    }
}

#[cfg(test)]
mod result_tests;
#[cfg(test)]
mod tests;
