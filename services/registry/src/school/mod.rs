//! Registered schools: code, name, level, place, direct superior. Registered by the Department, never deleted; scopes and
//! review routes go by this entry. A school's particulars are the record that its software pushes.
//! Campuses are registered beside them: a list of what there is, which the records of the school's software refine.

mod model;
mod register;
pub mod rpc;
pub mod store;

pub use model::School;
