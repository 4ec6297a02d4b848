//! Bounded transactions, and the locks that order writers.
use eduhub_pg::{Failure, PgConnection, PgPool, TxFuture, in_tx};
use std::time::Duration;

/// Each of this service's transactions touches a few rows; what takes longer waits for a lock.
const LIMIT: Duration = Duration::from_secs(10);

/// Class of this service's advisory locks: the database is shared with services that take others.
const LOCK_CLASS: i32 = 0x1D;

/// What writers wait for each other on. Several in one transaction: in the order of this list.
#[derive(Debug, Clone, Copy)]
pub enum Lock<'a> {
    /// Creation of services' and administrators' accounts at start.
    Bootstrap,
    /// Grants of one school.
    School(&'a str),
    /// Ends of administrators, so that one is left.
    Administrators,
    /// Revocations: their sequence must rise in the order of the commits.
    Revocations,
}

impl Lock<'_> {
    /// Takes the lock until the end of the transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn take(self, conn: &mut PgConnection) -> Result<(), Failure> {
        let name = match self {
            Lock::Bootstrap => "bootstrap".to_owned(),
            Lock::School(code) => format!("school {code}"),
            Lock::Administrators => "administrators".to_owned(),
            Lock::Revocations => "revocations".to_owned(),
        };
        let statement = "select pg_advisory_xact_lock($1, hashtext($2))";
        sqlx::query(statement).bind(LOCK_CLASS).bind(name).execute(conn).await?;
        Ok(())
    }
}

/// Runs `work` in a transaction that a caller's disconnect does not cut.
///
/// # Errors
/// What `work` returns, and the database's.
pub async fn transaction<T, F>(pool: &PgPool, work: F) -> Result<T, Failure>
where
    F: for<'c> FnOnce(&'c mut PgConnection) -> TxFuture<'c, T, Failure> + Send + 'static,
    T: Send + 'static,
{
    in_tx(pool, LIMIT, work).await
}
