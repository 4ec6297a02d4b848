//! The cache over servers of each kind, started by the test: one address, Sentinels, a cluster; in the clear and with TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;
mod one;
mod pair;
mod sentinel;
mod server;
mod tls;
