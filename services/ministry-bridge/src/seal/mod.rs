//! Reads a seal from the service that holds it, and makes payloads of it, page by page.
//!
//! Both uses walk the same way: filling the ledger before sending, and comparing afterwards. What is read is the seal, so
//! both see exactly what was approved, whatever was pushed since.

mod page;
mod walk;

pub(crate) use page::read as read_page;
pub use walk::{SealRef, Walk};
