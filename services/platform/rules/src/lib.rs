//! Runs the data dictionary's rules over a record: shape, code lists, plausible ranges, personal IDs, and the rules between
//! its fields ([`cross`]).
//!
//! Everything here is pure: same record, same date, same code lists, same findings. References to other records and
//! duplicates need a database and are checked by the ingest of the service that owns them.

mod check;
mod codes;
pub mod cross;
mod fold;
mod names;
mod nearest;
mod path;
mod patterns;
mod personal_id;
mod shape;
mod unknown;
mod walk;

pub use check::{Checker, Findings, refuses};
pub use codes::{CodeLists, CodeStatus, CodeTable, OPEN};
pub use cross::{NotARule, Rule, RulePack, Strength};
pub use fold::{fold, name_words, written_alike};
pub use names::{broken_name, broken_text};
pub use patterns::fits;
pub use personal_id::{PersonalId, province_of_registration};
pub use unknown::unknown_fields;
pub use walk::{Identity, ParentRef, identity, parents, record_key};
