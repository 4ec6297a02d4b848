//! What black-box tests of services need, and nothing of the school domain.
//!
//! - [`Database`]: a database on the test server, empty or prepared once for all tests of a program, dropped at the end;
//! - [`vault`] and [`redis_url`]: keys of their own, and the test Redis;
//! - [`Running`]: a server on a free loopback port without TLS, with its own end;
//! - [`Served`]: doubles of other services on another such port;
//! - [`with_bearer`]: a channel whose calls carry an access token;
//! - [`AccessTable`]: every RPC tried as every role and without a token;
//! - [`Bill`]: what each RPC costs the database, held against its budget;
//! - [`eventually`]: waits for what another task does, without a bare sleep.
//!
//! Everything here panics when the surroundings are not what a test needs: a test fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "used by tests, which fail by panicking")]

mod access;
mod bearer;
mod bill;
mod database;
mod eventually;
mod keys;
mod running;
mod served;
mod template;

pub use access::{AccessTable, ask_nothing};
pub use bearer::{Bearer, BearerChannel, with_bearer};
pub use bill::{Bill, Row, row};
pub use database::Database;
pub use eventually::{eventually, until};
pub use keys::{redis_url, vault, vault_file};
pub use running::Running;
pub use served::Served;
