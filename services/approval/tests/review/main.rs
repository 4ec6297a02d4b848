//! Black-box tests of approval: its real server over gRPC, on a real and freshly migrated database, with test doubles of
//! the services that it asks (registry, facility). They need a PostgreSQL server that may create databases:
//! `EDUHUB_TEST_DATABASE_URL=postgres://...`.

// A test double or a helper that fails should stop the test where it stands.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod decisions;
mod lab;
mod listing;
mod matrix;
mod races;
mod routes;
mod story;
mod submitting;
mod walks;
