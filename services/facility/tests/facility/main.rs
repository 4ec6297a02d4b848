//! Black-box tests of facility: its real server over gRPC, on a real and freshly migrated database, with a double of
//! registry. They need a PostgreSQL server that may create databases: `EDUHUB_TEST_DATABASE_URL=postgres://...`.

// A test double or a helper that fails should stop the test where it stands.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod budgets;
mod campus;
mod compare;
mod lab;
mod lists;
mod push;
mod pushing;
mod reads;
mod registry;
mod seals;
mod start;
mod watch;
