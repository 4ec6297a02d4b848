//! Mistakes in the rows of a file that somebody wants to load.
use eduhub_faults::{Fault, Reason};
use eduhub_proto::registry::v1::RowMistake;

/// Most violations in one status: its details travel in a header, which has to stay small.
const MOST: usize = 50;

/// A mistake in one field of one row.
pub fn mistake(row: usize, field: &str, value: &str, vi: &str, en: &str) -> RowMistake {
    RowMistake {
        row: u32::try_from(row).unwrap_or(u32::MAX),
        field: field.to_owned(),
        value: value.chars().take(100).collect(),
        message_vi: vi.to_owned(),
        message_en: en.to_owned(),
    }
}

/// Adds mistakes in `rows` of a request to a refusal, as many as a status can carry; `mistakes` in its metadata counts all.
#[must_use]
pub fn refuse(fault: Fault, rows: &str, mistakes: &[RowMistake]) -> Fault {
    let named = mistakes.iter().take(MOST);
    named.fold(fault, |fault, m| fault.violation(&format!("{rows}[{}].{}", m.row, m.field), &m.message_en))
}

/// A refusal for rows with mistakes.
pub fn refusal(mistakes: usize) -> Fault {
    Fault::new(Reason::InvalidRequest).meta("mistakes", mistakes)
}
