//! Code lists (danh mục dùng chung) as rows with validity dates, and the administrative units: seeded at migration, kept in
//! memory for the rules, re-read when their version rises.

mod book;
pub mod rpc;
mod seed;
pub mod store;

pub use book::CodeBook;
pub use seed::seed;
