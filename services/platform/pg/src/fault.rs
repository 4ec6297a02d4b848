//! A database failure as what the caller is told.
use crate::DbError;
use eduhub_faults::{Fault, Reason};
use std::time::Duration;
use tonic::Status;

impl From<DbError> for Fault {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) => {
                Fault::new(Reason::Unavailable).retry_after(Duration::from_secs(2)).source(error)
            }
            DbError::Retry(_) => {
                Fault::new(Reason::Overloaded).retry_after(Duration::from_millis(200)).source(error)
            }
            DbError::TooLong => Fault::new(Reason::Deadline).source(error),
            _ => Fault::internal(error),
        }
    }
}

/// What goes wrong between a request and its answer, for work that mixes rules and statements: `?` takes both.
#[derive(Debug)]
pub enum Failure {
    /// The rules refuse it.
    Refused(Fault),
    /// The database failed.
    Db(DbError),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(fault) => fault,
            Failure::Db(error) => error.into(),
        }
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        Fault::from(failure).into()
    }
}
