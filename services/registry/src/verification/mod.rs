//! Verification of personal IDs with the national population database, through identity (R-ID-1..3).
//!
//! A worker follows the change log with a cursor of its own: every new or changed person becomes pending, is asked for in
//! batches of one school, and ends verified, mismatch or not found; the last two open a data issue.

pub mod store;
mod worker;

pub use worker::{Worker, WorkerLimits};
