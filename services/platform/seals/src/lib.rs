//! Seals (design section 6): one dataset of one school at one position of the log; read exactly, whatever came after;
//! compared with another seal or with the live state. Reads of single records go by the same view of the reader.

mod compare;
mod pages;
mod seal;
mod view;

pub use compare::{Compared, Difference, FieldDifference, diff};
pub use pages::{RecordList, get, history, list, list_sealed};
pub use seal::{Sealed, create, load, school_digest};
pub use view::Reader;
