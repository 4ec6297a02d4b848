//! How each dataset goes to the Ministry: by API, or as a workbook for hand entry (R-FLOW-6, R-FLOW-7). A row per dataset;
//! switching one is configuration and holds for transfers that start afterwards.

mod rpc;
mod standing;
mod store;

pub use rpc::{Capabilities, mode};
