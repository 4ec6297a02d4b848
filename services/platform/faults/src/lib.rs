//! Errors as API values.
//!
//! A [`Fault`] is what a service refuses a call with: a stable [`Reason`], metadata, field violations. It becomes a gRPC
//! status with `ErrorInfo` (reason, domain `eduhub`), `BadRequest`, `LocalizedMessage` (Vietnamese) and `RetryInfo`.
//! A [`Problem`] is a finding about one record inside a reply. Texts of both come from one table, [`texts`].

mod catalogue;
mod fault;
mod peer;
mod problems;

pub use catalogue::{Text, code, group, texts};
pub use eduhub_proto::common::v1::{ErrorGroup, Problem, Reason, Severity};
pub use fault::{DOMAIN, Fault, reason_of};
pub use peer::of_peer;
pub use problems::{error, warning};
