//! How this service uses its database: reads of one moment, and bounded writes.

use std::time::Duration;

use eduhub_pg::{Failure, PgConnection, PgPool, TxFuture, in_tx};

/// A decision touches a handful of rows: what takes longer waits for a lock and is better refused.
const LIMIT: Duration = Duration::from_secs(10);

/// Runs `work` in a transaction that may write.
///
/// # Errors
/// What `work` returns, and the database's.
pub async fn write<T, F>(pool: &PgPool, work: F) -> Result<T, Failure>
where
    F: for<'c> FnOnce(&'c mut PgConnection) -> TxFuture<'c, T, Failure> + Send + 'static,
    T: Send + 'static,
{
    in_tx(pool, LIMIT, work).await
}

/// Runs `work` on one snapshot, so that a submission and its decisions, read by several statements, belong together.
///
/// # Errors
/// What `work` returns, and the database's.
pub async fn read<T, F>(pool: &PgPool, work: F) -> Result<T, Failure>
where
    F: for<'c> FnOnce(&'c mut PgConnection) -> TxFuture<'c, T, Failure> + Send + 'static,
    T: Send + 'static,
{
    in_tx(pool, LIMIT, |conn| {
        Box::pin(async move {
            sqlx::query("set transaction isolation level repeatable read, read only")
                .execute(&mut *conn)
                .await?;
            work(conn).await
        })
    })
    .await
}
