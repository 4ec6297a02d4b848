//! What goes wrong between a request and its answer: a refusal by the rules, or the database.
use eduhub_faults::{Fault, Reason};
use eduhub_pg::DbError;
use std::time::Duration;
use tonic::Status;

/// When to try again after a fault that passes.
const RETRY: Duration = Duration::from_secs(1);

/// Why a call failed.
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
            Failure::Db(error @ (DbError::Unavailable(_) | DbError::Retry(_))) => {
                Fault::new(Reason::Unavailable).source(error).retry_after(RETRY)
            }
            Failure::Db(error @ DbError::TooLong) => Fault::new(Reason::Deadline).source(error),
            Failure::Db(error) => Fault::internal(error),
        }
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        Fault::from(failure).into()
    }
}
