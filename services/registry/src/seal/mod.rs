//! Seals over registry's records (design section 6).

pub mod rpc;
