//! Short journeys through the whole stack: the five services and the simulators as real processes, TLS between them,
//! one school of the generator from push to the Ministry. Start them by `scripts/test`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod access_log;
mod cast;
mod collector;
mod doctor;
mod ground;
mod journey;
mod metrics;
mod ministry;
mod private_redis;
mod redis_lost;
mod revocation;
mod rotation;
mod traces;
mod upgrade;
