//! Work under lease.
//!
//! A job is a row; a worker takes it with SKIP LOCKED, keeps its lease alive by a heartbeat that is part of the work itself,
//! and deletes the row in the transaction that holds the work's effect. A worker that dies stops beating, and another takes
//! the job when the lease runs out. Every effect checks the lease, so a worker that comes back late changes nothing.

mod store;
mod worker;

pub use store::{Job, Lease, Work, again, finish, put};
pub use worker::{pause, run};
