//! The change feed of facility (design section 5).

pub mod rpc;
