//! A transfer carries one approved submission to the Ministry.
//!
//! - There is at most one transfer of a submission.
//! - It reads only the submission's seal: what was approved is what goes.
//! - It is done when every one of its ledger rows is final; approval is then told, as often as it takes.

mod model;
mod report;
mod rpc;
mod start;
mod store;
mod wire;

pub use model::{NewTransfer, Transfer, domain_of, summary};
pub use report::report;
pub use rpc::{Transfers, uuid, visible};
pub use store::{find, lock, mark_exported, mark_failed, mark_reported, mark_sending};
pub use wire::timestamp;
