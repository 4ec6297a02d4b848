//! Identity: principals, access applications (forms 1 and 2), grants, keys, tokens, and the verification of personal IDs
//! with the national population database.
//!
//! A request is read top-down: `proto/eduhub/identity/v1`, then an entity's `rpc` (the story), its model (decides, no IO),
//! its `store` (SQL only), and back through `wire`.

mod access;
pub mod app;
mod application;
mod batch;
pub mod bootstrap;
mod check;
pub mod config;
mod credential;
mod database;
mod grant;
pub mod metrics;
mod page;
pub mod policy;
mod principal;
pub mod schema;
mod schools;
mod token;
mod vendor;
mod verification;
mod wire;

pub use grant::Exclusive;
pub use verification::{Population, PopulationConfig};
