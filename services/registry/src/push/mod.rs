//! The push stream of registry (design section 4).

pub mod rpc;
