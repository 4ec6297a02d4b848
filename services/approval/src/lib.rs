//! Approval: schools submit sealed datasets, offices review them step by step, and every decision is on record.
//!
//! It owns submissions, their review and the routes; the data under review stay with registry and facility, which hold the
//! seal. Read a request top-down: `proto/eduhub/approval/v1`, `rpc.rs`, `review.rs` and `model.rs`, `store.rs`.

pub mod access;
pub mod app;
pub mod config;
mod database;
mod fields;
pub mod metrics;
mod peers;
pub mod policy;
pub mod route;
pub mod schema;
pub mod submission;
