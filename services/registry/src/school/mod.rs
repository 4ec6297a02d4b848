//! Registered schools: code, name, level, place, direct superior. Registered by the Department, never deleted; scopes and
//! review routes go by this entry. A school's particulars are the record that its software pushes.

mod model;
pub mod rpc;
pub mod store;

pub use model::{School, check};
