//! What must hold between things that are written in different places: the API's descriptors, its manual (the comments),
//! the data dictionary, the policies, the reasons, the migrations. No database, no network.
//!
//! A test here collects every gap before it fails, so that one run shows all there is to mend.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod annex;
mod api;
mod comments;
mod dictionary;
mod digests;
mod enums;
mod groups;
mod lint;
mod lists;
mod masking;
mod metrics;
mod migrations;
mod policies;
mod push;
mod reasons;
mod retry;
mod schema;
