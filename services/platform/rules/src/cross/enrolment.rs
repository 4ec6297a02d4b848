//! Enrolment: status with what belongs to it (domain.md C.9, D.8), and which status may follow which.
use super::{Found, Judge, Rule, years};
use eduhub_proto::registry::v1::Enrolment;

/// Statuses of a pupil who moved in during term 1, term 2, summer.
pub const MOVED_IN: [&str; 3] = ["02", "06", "10"];
/// Statuses of a pupil who moved out during term 1, term 2, summer.
pub const MOVED_OUT: [&str; 3] = ["04", "08", "11"];
const DROPPED: [&str; 3] = ["05", "09", "12"];
const BACK: [&str; 2] = ["03", "07"];

/// True for the statuses of a pupil who sits in class (D.8).
pub fn in_class(status: &str) -> bool {
    status == "01" || MOVED_IN.contains(&status) || BACK.contains(&status)
}

/// Term of the event that a status stands for: 1, 2, 3 for summer; none for 01 and for what is no status of D.8.
fn term(status: &str) -> Option<u8> {
    match status {
        "02" | "03" | "04" | "05" => Some(1),
        "06" | "07" | "08" | "09" => Some(2),
        "10" | "11" | "12" => Some(3),
        _ => None,
    }
}

/// Status automaton of one enrolment (C.9): in class, then moved out or dropped out; who dropped out comes back by
/// re-enrolment; who came in or came back goes on as studying. A move out ends the enrolment: the move in is another
/// school's, or, for who returns, another enrolment. Events go on in time, from term 1 to summer. Statuses that D.8 does not
/// have are not judged.
pub fn may_follow(from: &str, to: &str) -> bool {
    let known = |status: &str| status == "01" || term(status).is_some();
    if from == to || !known(from) || !known(to) {
        return true;
    }
    let in_time = term(from).zip(term(to)).is_none_or(|(from, to)| from <= to);
    let leaves = MOVED_OUT.contains(&to) || DROPPED.contains(&to);
    in_time
        && if in_class(from) { leaves || to == "01" } else { DROPPED.contains(&from) && BACK.contains(&to) }
}

pub fn enrolment(record: &Enrolment, judge: &Judge<'_>, found: &mut Found<'_>) {
    let status = record.student_status.as_str();
    let dropped = DROPPED.contains(&status);
    match &record.dropout_reason {
        None if dropped => found.at(Rule::DropoutReasonMissing, "dropout_reason"),
        Some(_) if !dropped => found.at(Rule::DropoutReasonStays, "dropout_reason"),
        _ => {}
    }
    let moved_in = MOVED_IN.contains(&status);
    if moved_in && record.from_school.is_none() {
        found.at(Rule::FromSchoolMissing, "from_school");
    }
    if moved_in && record.enrolment_type != "3" {
        found.expecting(Rule::EnrolmentType, "enrolment_type", &["3"]);
    }
    let moved_out = MOVED_OUT.contains(&status);
    match &record.to_school {
        None if moved_out => found.at(Rule::ToSchoolMissing, "to_school"),
        Some(_) if !moved_out => found.at(Rule::ToSchoolStays, "to_school"),
        _ => {}
    }
    event(record, judge, found);
}

fn event(record: &Enrolment, judge: &Judge<'_>, found: &mut Found<'_>) {
    let term = term(&record.student_status);
    if let (Some(said), Some(term)) = (&record.term_of_event, term)
        && *said != term.to_string()
    {
        found.expecting(Rule::EventTerm, "term_of_event", &[&term.to_string()]);
    }
    if let Some(year) = judge.school_year
        && years::outside(&record.status_on, years::span(year, term == Some(3)))
    {
        found.at(Rule::StatusDate, "status_on");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 12] = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"];

    fn after(from: &str) -> Vec<&'static str> {
        ALL.into_iter().filter(|to| *to != from && may_follow(from, to)).collect()
    }

    /// Worked out by hand from C.9 and D.8.
    #[test]
    fn the_automaton() {
        assert_eq!(after("01"), ["04", "05", "08", "09", "11", "12"]);
        assert_eq!(after("02"), ["01", "04", "05", "08", "09", "11", "12"]);
        assert_eq!(after("03"), ["01", "04", "05", "08", "09", "11", "12"]);
        assert_eq!(after("06"), ["01", "08", "09", "11", "12"], "term 2 does not go back to term 1");
        assert_eq!(after("10"), ["01", "11", "12"]);
        assert_eq!(after("05"), ["03", "07"]);
        assert_eq!(after("09"), ["07"]);
        for gone in ["04", "08", "11", "12"] {
            assert_eq!(after(gone), [] as [&str; 0], "{gone}");
        }
        assert!(may_follow("99", "01") && may_follow("04", "13"), "codes that are not ours to judge");
    }

    #[test]
    fn who_sits_in_class() {
        let seated: Vec<_> = ALL.into_iter().filter(|s| in_class(s)).collect();
        assert_eq!(seated, ["01", "02", "03", "06", "07", "10"], "domain.md D.8");
    }
}
