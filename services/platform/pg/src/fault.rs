//! A database failure as what the caller is told.
use crate::DbError;
use eduhub_faults::{Fault, Reason};
use std::time::Duration;

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
