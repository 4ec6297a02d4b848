//! The Ministry's API (domain.md B.8): HTTP and JSON, OAuth client credentials.
//!
//! Everything that can go wrong with a call comes back as a [`Failure`] that says what to do about it; nothing here retries
//! except for a token that the Ministry no longer takes.

mod breaker;
mod client;
mod failure;
mod message;
mod token;

pub use breaker::{Breaker, Pass};
pub use client::{Ministry, MinistryConfig};
pub use failure::Failure;
pub use message::{Batch, Entry, Event, HeldRow, Outcome, Receipt, Verdict};
