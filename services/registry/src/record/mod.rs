//! Reads of single records: get, list by key, history; masked by the caller's class.

pub mod rpc;
