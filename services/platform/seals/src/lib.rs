//! Seals (design section 6): one dataset of one school at one position of the log; read exactly, whatever came after;
//! compared with another seal or with the live state. Reads of single records go by the same view of the reader.
//! [`Archive`] is what services answer callers from; [`seal_service!`] is the RPCs over it.

mod archive;
mod compare;
mod pages;
mod rpc;
mod seal;
mod view;

pub use archive::{Archive, Named, Page};
pub use pages::RecordList;
pub use seal::Sealed;
pub use view::Reader;
