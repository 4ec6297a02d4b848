//! Data issues: the work list of a school. They open with a finding and close when the finding is gone.
//!
//! A row says which record, which field and why; of the finding itself it keeps only what these columns don't say. The texts
//! for people come from the catalogue when the list is read, so that a better text serves old issues too.

mod list;
mod read;
mod stored;
mod write;

pub use list::WorkLists;
pub use write::{Looked, close_issues, open_issues, settle_issues};
pub(crate) use write::{close_all, sync};

/// Numbers of kinds as the table has them.
fn small(kinds: &[i32]) -> Vec<i16> {
    kinds.iter().map(|k| i16::try_from(*k).unwrap_or_default()).collect()
}
