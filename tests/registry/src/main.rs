//! Registry from outside: over gRPC, on a real Postgres and Redis, one database per test.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod access;
mod compare;
mod compare_sync;
mod comparing;
mod copying;
mod cuts;
mod feed_contract;
mod feed_order;
mod feed_scope;
mod feed_shared;
mod feed_slow;
mod feed_subscriptions;
mod following;
mod hub;
mod identity;
mod kill9;
mod make;
mod push_counts;
mod push_duplicates;
mod push_full;
mod push_held;
mod push_kinds;
mod push_levels;
mod push_session;
mod push_shape;
mod push_unknown;
mod push_validate;
mod pushing;
mod redis_lies;
mod seals;
mod seals_model;
mod secrets;
mod verification;
mod work_list;
