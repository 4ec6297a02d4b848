//! Grants: the right of an API client to the data of schools, for a period, under a contract. A vendor's grant is for one
//! school, and a data domain of a school has one open vendor's grant at a time, all of them the same one unless the Department
//! allows otherwise (R-FLOW-2, decision 0017); the database holds to that.
mod binding;
mod model;
mod rpc;
pub(crate) mod store;
mod wire;

pub use binding::{Claim, Exclusive, VendorGrant, bind, refuse_conflict};
pub use model::{Kind, NewConsumer};
pub use rpc::Grants;
pub use store::GrantRow;
