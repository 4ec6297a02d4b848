use std::path::PathBuf;

/// Why the stack did not start, or one of its programs did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// A program has not been built.
    #[error("{0} is missing; build it with: cargo build --workspace --bins")]
    BinaryMissing(PathBuf),
    /// A file, a directory or a process could not be made.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, with the path.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The development certificates could not be made.
    #[error("development certificates: {0}")]
    Certificates(#[from] rcgen::Error),
    /// The key file could not be made.
    #[error("vault key file: {0}")]
    Vault(#[from] eduhub_vault::VaultError),
    /// The database refused.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// A name that would need quoting in SQL.
    #[error("{0:?} is no database name: lower-case letters, digits and _ only, at most 40, a letter first")]
    DatabaseName(String),
    /// A program ended before it was ready, or with a failure.
    #[error("{name} {outcome}; its log is {log}, which ends with:\n{tail}")]
    Ended {
        /// The program.
        name: String,
        /// How it ended, or that it did not in time.
        outcome: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// A program that should run does not.
    #[error("{0} is not running")]
    NotRunning(String),
}

impl StackError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
