//! A submission: one sealed dataset of one school on its way through review (design section 6).
//!
//! Invariants, kept by [`review`] and again by the schema:
//! - at most one submission per school, year, period and dataset is under review;
//! - a submission is approved only after every step of its route approved it, each naming the digest of its seal;
//! - every transition is recorded in the transaction that makes it, with who, for which office, when, why and digest;
//! - returned, withdrawn and transferred are final.

mod act;
mod entity;
mod find;
mod history;
pub mod model;
mod page;
mod request;
pub mod review;
#[cfg(test)]
mod review_tests;
mod rpc;
mod store;
mod submit;
mod wire;

pub use rpc::Submissions;
