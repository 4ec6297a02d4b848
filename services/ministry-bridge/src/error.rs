//! What stops a request or a piece of work, and what the caller learns of it.

use std::time::Duration;

use eduhub_faults::{Fault, Reason};
use eduhub_pg::DbError;
use tonic::Status;

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
        let fault = match error {
            Error::Fault(fault) => fault,
            Error::Db(error) => error.into(),
            Error::LeaseLost => Fault::new(Reason::Unavailable).retry_after(Duration::from_secs(1)),
        };
        fault.into()
    }
}

/// What another service's refusal means here. It says who answered what: workers log a fault without its source.
pub fn of_peer(peer: &'static str, status: Status) -> Fault {
    let detail = format!("{peer} answered {:?}", status.code());
    let fault = eduhub_faults::of_peer(peer, status);
    match fault.reason() {
        // What is absent looks like what is out of the caller's reach, which has no detail.
        Reason::NotFound | Reason::SchoolNotFound => fault,
        _ => fault.detail(detail),
    }
}
