//! Identity from outside, over gRPC, on real databases: one program of all tests, so that it links once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail")]
mod access;
mod forms;
mod grants;
mod journey;
mod ownership;
mod principals;
mod program;
mod sign_in;
mod verification;
mod world;
