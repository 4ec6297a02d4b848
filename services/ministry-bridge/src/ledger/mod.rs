//! The ledger: one row per record and transfer, and what the Ministry said to it.
//!
//! - A row is final when it is accepted, rejected, stale, dead, blocked or entered; only a dead row (and what it blocks)
//!   goes back, when somebody asks for it.
//! - A row that names a parent of the same transfer waits until the parent is accepted. If the parent is refused, it goes
//!   nevertheless when the Ministry holds the parent from before; otherwise it is blocked.
//! - A row on the wire belongs to a batch; the batch is sent again as it was until its answer is known.
//! - Everything here runs inside a transaction that holds the transfer's row (`transfer::lock`).

mod advance;
mod answer;
mod enter;
mod model;
mod read;
mod requeue;
mod rpc;
mod wire;

pub use advance::advance;
pub use answer::{Answer, apply};
pub use enter::{Row, cancel_absent, enter};
pub use model::{KindCount, by_state};
pub use read::{Waiting, counts, mark_reconciled, mark_sent, note, of_batch, split};
pub use requeue::{confirm_entered, requeue_dead};
pub use rpc::{datasets, list as list_ledger};
