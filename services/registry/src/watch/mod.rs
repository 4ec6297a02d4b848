//! The change feed of registry (design section 5).

pub mod rpc;
