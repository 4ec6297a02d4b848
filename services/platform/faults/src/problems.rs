//! Findings about records.
use crate::catalogue::{group, texts};
use eduhub_proto::common::v1::{Problem, Reason, Severity};

fn problem(reason: Reason, severity: Severity, field: &str) -> Problem {
    let text = texts(reason);
    Problem {
        reason: reason as i32,
        severity: severity as i32,
        group: group(reason) as i32,
        field: field.to_owned(),
        message_vi: text.vi.to_owned(),
        message_en: text.en.to_owned(),
        ..Problem::default()
    }
}

/// A finding that refuses the record.
pub fn error(reason: Reason, field: &str) -> Problem {
    problem(reason, Severity::Error, field)
}

/// A finding that is accepted with a data issue.
pub fn warning(reason: Reason, field: &str) -> Problem {
    problem(reason, Severity::Warning, field)
}
