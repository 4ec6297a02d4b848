//! A consumer's own copy of what a feed gives, which survives a kill at any moment: in tables of a Postgres database
//! ([`PostgresCopy`]) or in one file ([`LocalCopy`]). Both are a [`Place`], which [`crate::watch::follow`] keeps exact.
//!
//! The file is a journal: a head that says what is copied, then one frame for each batch of changes together with the cursor
//! that covers it. A frame is written and synced before it counts, so that changes and cursor are one thing; a torn frame at
//! the end is dropped, and the feed sends its changes again. In memory stand the heads of the records (key, version, digest,
//! place in the file), not the records.

mod frame;
mod index;
mod journal;
mod place;
mod postgres;
#[cfg(test)]
mod tests;

pub use frame::Scope;
pub use index::Applied;
pub use journal::{LocalCopy, Recovery};
pub use place::Place;
pub use postgres::PostgresCopy;

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
    /// The database is in use by another process for the same service.
    #[error("another process keeps a copy of {0} in this database")]
    Followed(String),
    /// The database holds a copy of something else.
    #[error(
        "the database holds a copy of {held}, not of {wanted}; choose another database or another --schema"
    )]
    OtherTables {
        /// What it holds.
        held: String,
        /// What was asked for.
        wanted: String,
    },
    /// The tables are of a newer version of this program.
    #[error("the tables are at version {0}, which this program does not know: use the newer program")]
    NewerTables(i32),
    /// Not a name for a schema.
    #[error("--schema must be 1 to 63 small letters, digits or _, beginning with a letter")]
    BadSchema,
    /// The database is away, without the data that it was about. Opening the copy again later can help.
    #[error("the copy's database: {0}")]
    Database(String),
    /// The database refuses a statement, and would again.
    #[error("the copy's database refuses: {0}")]
    Refused(String),
    /// A change that a feed must not send.
    #[error("the feed sent a change that can't be kept: {0}")]
    BadChange(&'static str),
}

impl From<sqlx::Error> for CopyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(match &error {
            sqlx::Error::Database(e) => return refused(&e.code().unwrap_or_default(), e.message()),
            sqlx::Error::Configuration(_) => return Self::Refused("not a postgres:// address".to_owned()),
            sqlx::Error::ColumnDecode { index, .. } => {
                return Self::Refused(format!("column {index} is not as it should be"));
            }
            sqlx::Error::Io(e) => e.to_string(),
            sqlx::Error::Tls(e) => e.to_string(),
            _ => "the connection failed".to_owned(),
        })
    }
}

/// By the class of the code: gone, out of resources, ended by an administrator, or in the way of another transaction; anything
/// else stays as it is. Only messages about access and names are shown: others can quote values.
fn refused(code: &str, message: &str) -> CopyError {
    let text = match code.get(..2) {
        Some("08" | "28" | "3D" | "3F" | "42" | "53" | "57") => format!("{code} {message}"),
        _ => format!("SQLSTATE {code}"),
    };
    match code.get(..2) {
        Some("08" | "40" | "53" | "57") => CopyError::Database(text),
        _ => CopyError::Refused(text),
    }
}
