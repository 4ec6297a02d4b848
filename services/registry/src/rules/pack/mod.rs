//! Packs of rules: versions with dates, the one in force, and what another one would find.

mod book;
mod model;
pub mod rpc;
mod store;
mod trial;

pub use book::PackBook;
pub use model::{Pack, Setting};
