//! Reads of records; what they have in common in all services is the crate `eduhub-reads`.

pub mod rpc;
