//! Code lists (danh mục dùng chung) as versioned rows with validity dates, and what vendors' software says for their codes.
//! Kept in memory for the rules, re-read within a second when their version rises; followed by consumers in a feed of their own.

mod book;
mod feed;
mod import;
pub mod mapping;
mod mistake;
mod model;
mod rpc;
mod seed;
pub mod store;
mod usage;

pub use book::{CodeBook, InForce};
pub use mistake::{mistake, refusal, refuse};
pub use model::{Entries, Entry};
pub use rpc::CodeLists;
pub(crate) use rpc::day;
pub(crate) use seed::rows as seed_rows;
pub use seed::{SeedError, seed};
