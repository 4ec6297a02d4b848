//! Black-box tests of ministry-bridge: its real server and workers over gRPC, on a real and freshly migrated database, against the
//! Ministry's simulator, with doubles of approval, registry and facility. They need a PostgreSQL server that may create
//! databases: `EDUHUB_TEST_DATABASE_URL=postgres://...`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod access;
mod approval;
mod data;
mod export;
mod faults;
mod lab;
mod order;
mod poison;
mod reconcile;
mod standing;
mod start;
mod story;
mod stub;
mod takeover;
mod trace;
