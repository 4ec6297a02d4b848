//! A consumer's own copy of what a feed gives, in one file that survives a kill at any moment.
//!
//! The file is a journal: a head that says what is copied, then one frame for each batch of changes together with the cursor
//! that covers it. A frame is written and synced before it counts, so that changes and cursor are one thing; a torn frame at
//! the end is dropped, and the feed sends its changes again. In memory stand the heads of the records (key, version, digest,
//! place in the file), not the records.

mod frame;
mod index;
mod journal;
#[cfg(test)]
mod tests;

pub use frame::Scope;
pub use index::Applied;
pub use journal::{LocalCopy, Recovery};

use std::path::PathBuf;

/// Why a copy can't be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The file system.
    #[error("{path}: {source}")]
    Io {
        /// File.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("{0} is not an EduHub copy; choose another file")]
    Foreign(PathBuf),
    /// The file holds a copy of something else.
    #[error("{path} holds a copy of {held}, not of {wanted}; choose another file")]
    OtherScope {
        /// File.
        path: PathBuf,
        /// What it holds.
        held: String,
        /// What was asked for.
        wanted: String,
    },
    /// Another process writes it.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// A change that a feed must not send.
    #[error("the feed sent a change that can't be kept: {0}")]
    BadChange(&'static str),
}
