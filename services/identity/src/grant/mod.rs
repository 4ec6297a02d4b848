//! Grants: the right of an API client to the data of schools, for a period, under a contract. A vendor's grant is for one
//! school, and a school has one live vendor's grant at a time (R-FLOW-2); the database holds to that.
mod binding;
mod model;
mod rpc;
pub(crate) mod store;
mod wire;

pub use binding::{VendorGrant, bind, refuse_conflict};
pub use model::{Kind, NewConsumer};
pub use rpc::Grants;
pub use store::GrantRow;
