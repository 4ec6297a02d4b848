use std::fmt;

/// What the failure of a statement or transaction means for its caller.
///
/// Neither `Display` nor `Debug` shows the values of a statement: Postgres quotes them in its details, and they are
/// personal data. Constraint names are kept: stores translate them where the statement is.
#[derive(thiserror::Error)]
pub enum DbError {
    /// A unique constraint or index refused the row.
    #[error("violates unique {0}")]
    Unique(String),
    /// A foreign key refused the row.
    #[error("violates foreign key {0}")]
    ForeignKey(String),
    /// A check (or exclusion, or not-null by column name) refused the row.
    #[error("violates check {0}")]
    Check(String),
    /// The row that a query must find is not there.
    #[error("no such row")]
    NoRow,
    /// The transaction lost against another one: the same again may succeed.
    #[error("lost against a concurrent transaction: {0}")]
    Retry(RetryCause),
    /// It took longer than it may; it was rolled back.
    #[error("took longer than it may and was rolled back")]
    TooLong,
    /// The database can't be reached, is starting, stopping or out of connections, or the pool is empty. After a
    /// commit that met this the outcome is unknown: idempotency claims decide.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// Anything else: a defect in a statement or in the schema.
    #[error("database error: {0}")]
    Other(String),
}

/// Why a transaction lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryCause {
    /// SQLSTATE 40001.
    Serialization,
    /// SQLSTATE 40P01.
    Deadlock,
    /// SQLSTATE 55P03: `lock_timeout`, or `NOWAIT`.
    LockTimeout,
}

impl DbError {
    /// Whether this is a violation of the unique constraint `name`.
    pub fn is_unique(&self, name: &str) -> bool {
        matches!(self, Self::Unique(constraint) if constraint == name)
    }

    /// Whether the same transaction may succeed when it is run again.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Retry(_))
    }

    /// Whether the database was out of reach.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl fmt::Display for RetryCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serialization => "serialization failure",
            Self::Deadlock => "deadlock",
            Self::LockTimeout => "lock timeout",
        })
    }
}

impl fmt::Debug for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DbError({self})")
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Self::NoRow,
            sqlx::Error::PoolTimedOut => Self::Unavailable("no free connection in time".to_owned()),
            sqlx::Error::PoolClosed => Self::Unavailable("the pool is closed".to_owned()),
            sqlx::Error::WorkerCrashed => Self::Unavailable("the connection's worker ended".to_owned()),
            sqlx::Error::Io(error) => Self::Unavailable(error.to_string()),
            sqlx::Error::Tls(error) => Self::Unavailable(error.to_string()),
            sqlx::Error::Protocol(_) => Self::Unavailable("the connection broke off".to_owned()),
            sqlx::Error::Database(error) => classify(error.as_ref()),
            sqlx::Error::ColumnNotFound(name) => Self::Other(format!("no column {name}")),
            // Decoding errors may quote the value.
            sqlx::Error::ColumnDecode { index, .. } => Self::Other(format!("column {index} does not decode")),
            _ => Self::Other("a statement could not be built or decoded".to_owned()),
        }
    }
}

fn classify(error: &dyn sqlx::error::DatabaseError) -> DbError {
    let code = error.code().unwrap_or_default();
    let constraint = || error.constraint().or(error.table()).unwrap_or("unnamed").to_owned();
    match &*code {
        "23505" => DbError::Unique(constraint()),
        "23503" => DbError::ForeignKey(constraint()),
        "23514" | "23P01" | "23502" => DbError::Check(constraint()),
        "40001" => DbError::Retry(RetryCause::Serialization),
        "40P01" => DbError::Retry(RetryCause::Deadlock),
        "55P03" => DbError::Retry(RetryCause::LockTimeout),
        // statement_timeout (and a cancel by an administrator), idle_in_transaction_session_timeout
        "57014" | "25P03" => DbError::TooLong,
        // Admin shutdown, crash, starting up, out of connections or memory, read-only after a failover.
        "57P01" | "57P02" | "57P03" | "53300" | "53200" | "53100" | "25006" => {
            DbError::Unavailable(error.message().to_owned())
        }
        _ if code.starts_with("08") => DbError::Unavailable(error.message().to_owned()),
        // Statement and schema defects: the message names columns and functions, not values.
        _ if code.starts_with("42") || code.starts_with("3") || code.starts_with("28") => {
            DbError::Other(format!("{code} {}", error.message()))
        }
        _ => DbError::Other(format!("SQLSTATE {code}")),
    }
}
