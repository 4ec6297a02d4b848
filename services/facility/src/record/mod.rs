//! Reads of single records: get, list by key; masked by the caller's class.

pub mod rpc;
