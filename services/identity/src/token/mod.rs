//! Access tokens: what proves a principal, what a token says, and what ends it.
mod assertion;
mod failures;
mod issuer;
mod local;
pub mod revocations;
mod rpc;
mod subject;

pub use failures::Failures;
pub use issuer::Issuer;
pub use local::{LocalTokens, LocalTrust};
pub use rpc::Tokens;
