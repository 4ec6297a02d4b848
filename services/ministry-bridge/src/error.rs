//! What stops a request or a piece of work, and what the caller learns of it.

use std::time::Duration;

use eduhub_faults::{Fault, Reason, reason_of};
use eduhub_pg::DbError;
use tonic::{Code, Status};

/// What stops a request or a piece of work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A refusal as the caller gets it.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// The lease was lost: somebody else does this work now.
    #[error("the lease was lost")]
    LeaseLost,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<eduhub_vault::VaultError> for Error {
    fn from(error: eduhub_vault::VaultError) -> Self {
        Self::Fault(Fault::internal(error))
    }
}

impl Error {
    /// Whether the same again may succeed without anybody mending anything.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Db(error) => {
                error.is_retryable() || error.is_unavailable() || matches!(error, DbError::TooLong)
            }
            Self::Fault(fault) => {
                matches!(
                    fault.reason(),
                    Reason::Unavailable | Reason::Overloaded | Reason::Deadline | Reason::Unauthenticated
                )
            }
            Self::LeaseLost => true,
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let pause = Duration::from_secs(1);
        let fault = match error {
            Error::Fault(fault) => fault,
            Error::Db(error @ (DbError::Unavailable(_) | DbError::Retry(_))) => {
                Fault::new(Reason::Unavailable).retry_after(pause).source(error)
            }
            Error::Db(DbError::TooLong) => Fault::new(Reason::Deadline),
            Error::Db(error) => Fault::internal(error),
            Error::LeaseLost => Fault::new(Reason::Unavailable).retry_after(pause),
        };
        fault.into()
    }
}

/// What another service's refusal means here. Absent stays absent; whatever may pass is UNAVAILABLE; the rest is ours.
pub fn of_peer(peer: &'static str, status: &Status) -> Fault {
    let detail = format!("{peer} answered {:?}", status.code());
    match status.code() {
        Code::NotFound => Fault::new(reason_of(status).unwrap_or(Reason::NotFound)),
        Code::Unavailable | Code::Aborted | Code::ResourceExhausted | Code::Cancelled | Code::DeadlineExceeded
        // Our token: identity may be restarting.
        | Code::Unauthenticated => {
            Fault::new(Reason::Unavailable).detail(detail).retry_after(Duration::from_secs(1))
        }
        Code::FailedPrecondition => Fault::new(reason_of(status).unwrap_or(Reason::WrongState)).detail(detail),
        _ => Fault::internal(detail),
    }
}
