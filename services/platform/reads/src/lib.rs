//! Reads of stored records (contract in `eduhub/common/v1/read.proto`), the same for every service that holds them: single
//! and many, lists with filters, states as of a position of the log, history with differences, counts, search by name.
//!
//! [`Reads`] is what services answer callers from: each read checks the caller's reach first and shows no more than its
//! class. A single live record comes from the process's own cache (module `cache` says why it is never stale), else from a
//! statement that it shares with other readers (module `batcher`). [`RecordServer`] sends such an answer as it was kept;
//! [`record_service!`] is the other RPCs.

mod as_of;
mod batcher;
mod cache;
mod counts;
mod difference;
mod encode;
mod filter;
mod fresh;
mod history;
mod many;
pub mod metrics;
mod pages;
mod reads;
mod rpc;
mod search;
mod server;
mod view;

pub use difference::differences;
pub use history::{RecordHistory, RecordVersion};
pub use many::Batch;
pub use pages::RecordList;
pub use reads::{Named, Reads, table};
pub use search::Persons;
pub use server::RecordServer;
pub use view::{Reader, Seen};
