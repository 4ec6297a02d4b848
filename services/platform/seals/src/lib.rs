//! Seals (design section 6): one dataset of one school at one position of the log; read exactly, whatever came after;
//! compared with another seal or with the live state. [`Archive`] is what services answer callers from;
//! [`seal_service!`] is the RPCs over it.

mod archive;
mod compare;
mod pages;
mod rpc;
mod seal;

pub use archive::Archive;
pub use seal::Sealed;
