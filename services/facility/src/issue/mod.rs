//! Work list of a school: data issues on its facilities.

pub mod rpc;
