//! Facility: the rooms of schools, as their software pushes them; what consumers follow; what is sealed for review.
//!
//! Schools, campuses and code lists are registry's: this service asks for them (`peers`). Read a request top-down:
//! `proto/eduhub/facility/v1`, `rpc.rs`, then the platform crate that does the work (ingest, feed, seals).

pub mod app;
pub mod config;
mod issue;
mod peers;
pub mod policy;
mod push;
mod record;
pub mod records;
pub mod schema;
mod seal;
