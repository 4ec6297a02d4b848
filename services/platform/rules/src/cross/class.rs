//! Classes.
use super::{Found, Judge, Rule, curriculum};
use eduhub_proto::registry::v1::Class;

pub fn class(record: &Class, judge: &Judge<'_>, found: &mut Found<'_>) {
    let combined = record.is_combined_class == Some(true);
    match &record.combined_class_code {
        None if combined => found.at(Rule::CombinedMissing, "combined_class_code"),
        // Software with one form sends the code beside an absent flag; only a flag that is off contradicts it.
        Some(_) if record.is_combined_class == Some(false) => {
            found.at(Rule::CombinedStays, "combined_class_code")
        }
        _ => {}
    }
    let disbanded = record.disbanded == Some(true);
    if disbanded && record.disbanded_on.is_none() {
        found.at(Rule::DisbandedMissing, "disbanded_on");
    }
    if !disbanded && record.disbanded_on.is_some() {
        found.at(Rule::DisbandedStays, "disbanded_on");
    }
    if !disbanded && record.disbanded_reason.is_some() {
        found.at(Rule::DisbandedStays, "disbanded_reason");
    }
    // Grades 13 to 18 are the age groups 01 to 06 (D.4).
    if let (Some(said), Ok(grade @ 13..=18)) = (&record.preschool_age_group, record.grade.parse::<u8>()) {
        let group = format!("{:02}", grade - 12);
        if *said != group {
            found.expecting(Rule::AgeGroup, "preschool_age_group", &[&group]);
        }
    }
    let subjects = record.subject_assignments.iter().map(|a| a.subject.as_deref().unwrap_or_default());
    let list = ("subject_assignments", subjects);
    curriculum::subjects(Rule::ClassCurriculum, judge, Some(&record.grade), list, found);
    let sessions = [
        (record.five_sessions_per_week, "five_sessions_per_week"),
        (record.six_to_eight_sessions_per_week, "six_to_eight_sessions_per_week"),
        (record.nine_to_ten_sessions_per_week, "nine_to_ten_sessions_per_week"),
    ];
    for (_, field) in sessions.iter().filter(|(flag, _)| *flag == Some(true)).skip(1) {
        found.at(Rule::ClassSessions, field);
    }
}
