//! Identity from outside, over gRPC, on real databases: one program of all tests, so that it links once.
mod access;
mod forms;
mod grants;
mod journey;
mod principals;
mod program;
mod sign_in;
mod verification;
mod world;
