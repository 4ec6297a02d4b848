//! Reconciliation: what the seal says against what the Ministry holds, field by field (R-FLOW-8).
//!
//! Runs in the background under lease. Its findings go into the ledger too, and a record that is missing or different is sent
//! again, as a new version, by the school's next transfer.

mod compare;
mod model;
mod rpc;
mod run;
mod store;

pub use rpc::Reconciliations;
pub use run::{abandon, compare_with_ministry};
