//! A finding as the table keeps it.
use eduhub_faults::{Problem, Reason, group, texts};
use eduhub_proto::{common::v1::Kind, dictionary::record_of};
use prost::Message;

/// What the columns of the row don't say: the value, what is near it, and the parent that is waited for.
pub(super) fn rest_of(problem: &Problem) -> Vec<u8> {
    Problem {
        value: problem.value.clone(),
        suggestions: problem.suggestions.clone(),
        parent_kind: problem.parent_kind,
        parent_key: problem.parent_key.clone(),
        ..Problem::default()
    }
    .encode_to_vec()
}

/// Columns of a row.
pub(super) struct Columns {
    pub kind: i32,
    pub record_key: String,
    pub reason: i32,
    pub field: String,
    pub severity: i32,
}

/// The finding again, with the texts of today.
pub(super) fn finding(rest: &[u8], columns: Columns) -> Problem {
    let rest = Problem::decode(rest).unwrap_or_default();
    let reason = Reason::try_from(columns.reason).unwrap_or_default();
    let text = texts(reason);
    Problem {
        reason: columns.reason,
        severity: columns.severity,
        group: group(reason) as i32,
        kind: columns.kind,
        record_key: as_sent(columns.kind, columns.record_key),
        field: columns.field,
        message_vi: text.vi.to_owned(),
        message_en: text.en.to_owned(),
        ..rest
    }
}

/// The key as the sender knows it: without the school year that stands before a yearly record's.
fn as_sent(kind: i32, full_key: String) -> String {
    let yearly = Kind::try_from(kind).ok().and_then(record_of).is_some_and(|meta| meta.yearly);
    match full_key.split_once('/') {
        Some((_, key)) if yearly => key.to_owned(),
        _ => full_key,
    }
}
