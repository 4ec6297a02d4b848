//! Doubles of services, as the services that call them see them.
//!
//! One double is one gRPC service with a state that a test reads and changes: [`Schools`] and [`CodeLists`] of registry,
//! [`Grants`] of identity, [`Seals`] of registry and facility. In front of each stands a [`Door`]. A test serves those that it needs
//! (`eduhub_testkit::Served`); an RPC that no service calls answers UNIMPLEMENTED.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "used by tests, which fail by panicking")]

mod code_lists;
mod door;
mod grants;
mod page;
mod schools;
mod seals;

pub use code_lists::{CodeListState, CodeLists};
pub use door::Door;
pub use grants::{GrantState, Grants};
pub use page::page;
pub use schools::{SchoolState, Schools};
pub use seals::{SealState, Seals, TRACEPARENT};
