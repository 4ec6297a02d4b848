//! Principals: API clients, officers with local accounts, and EduHub's own services. An end is final.
mod model;
mod rpc;
pub(crate) mod store;
mod wire;

pub use model::{Kind, NewOfficer};
pub use rpc::Principals;
