//! Applications of schools for API access by form 1 (R-API-1..16): submitted, then approved or refused once. An approval and
//! the grant it gives are one transaction.
mod form;
mod rpc;
pub(crate) mod store;
mod wire;

pub use rpc::{Applications, Rules};
