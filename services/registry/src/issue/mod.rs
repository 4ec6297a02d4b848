//! Work list of a school: data issues, and the progress of verification.

pub mod rpc;
