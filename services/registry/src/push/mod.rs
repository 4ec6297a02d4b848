//! The push stream of registry (design section 4).

mod own_school;
pub mod rpc;

pub use own_school::OwnSchool;
