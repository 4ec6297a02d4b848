//! Seals over facility's records (design section 6).

pub mod rpc;
