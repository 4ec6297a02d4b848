//! Health measurements and daily attendance: what is dated within a school year.
use super::{Found, Judge, Rule, years};
use eduhub_proto::registry::v1::{Attendance, Health};

pub fn health(record: &Health, judge: &Judge<'_>, found: &mut Found<'_>) {
    if outside(&record.measured_on, judge) {
        found.at(Rule::HealthDate, "measured_on");
    }
    if record.obese == Some(true) {
        if record.underweight == Some(true) {
            found.at(Rule::HealthGrowth, "underweight");
        }
        if record.wasted == Some(true) {
            found.at(Rule::HealthGrowth, "wasted");
        }
    }
}

pub fn attendance(record: &Attendance, judge: &Judge<'_>, found: &mut Found<'_>) {
    if outside(&record.attended_on, judge) {
        found.at(Rule::AttendanceDate, "attended_on");
    }
}

fn outside(date: &str, judge: &Judge<'_>) -> bool {
    judge.school_year.is_some_and(|year| years::outside(date, years::span(year, false)))
}
