//! Review routes: rows that say which offices decide on a dataset of a school, in which order (domain.md A.5).
//!
//! Invariant: for one dataset, level and superior at most one route is valid on a day. A submission copies its steps, so
//! that a later change of a route leaves running reviews alone.

mod book;
pub mod model;
mod rpc;
mod store;
mod wire;

pub use book::{Chosen, RouteBook, Wanted};
pub use rpc::Routes;
