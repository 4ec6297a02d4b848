//! Vendors of school software and their products: code lists that the Department keeps, so that no vendor is built in
//! (R-FLOW-21).
mod model;
mod rpc;
pub(crate) mod store;

pub use model::Catalogue;
pub use rpc::Vendors;
