use std::time::Duration;

use eduhub_runtime::deadline;
use futures::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use tracing::Instrument;

use crate::DbError;

/// What the work of a transaction returns: `Box::pin(async move { ... })`.
pub type TxFuture<'c, T, E> = BoxFuture<'c, Result<T, E>>;

/// Runs `work` in a transaction: commits when it returns `Ok`, rolls back when it returns `Err`.
///
/// It runs in a task of its own, so that a caller that goes away never cuts it in the middle (a cancelled BEGIN
/// leaves a connection in the pool whose next user writes into a transaction that nobody commits). The caller's
/// trace and deadline go along. `limit` (or what is left of the caller's deadline, if that is less) bounds the
/// work from BEGIN on, since the oldest transaction of the cluster holds every feed's horizon; when it passes, the
/// connection is closed and the server rolls back within a second.
///
/// Inside `work` use no second connection: a pool whose connections all wait for another one stands still.
///
/// # Errors
/// What `work` returned; [`DbError`] for begin and commit; [`DbError::TooLong`] when the limit passed. After
/// [`DbError::Unavailable`] the commit may or may not have happened.
pub async fn in_tx<T, E, F>(pool: &PgPool, limit: Duration, work: F) -> Result<T, E>
where
    F: for<'c> FnOnce(&'c mut PgConnection) -> TxFuture<'c, T, E> + Send + 'static,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    let limit = deadline::remaining().map_or(limit, |left| left.min(limit));
    let pool = pool.clone();
    let task = async move {
        let conn = pool.acquire().await.map_err(DbError::from)?;
        run(conn, limit, work).await
    };
    match tokio::spawn(task.in_current_span()).await {
        Ok(outcome) => outcome,
        // The panic was printed where it happened; the transaction rolled back with its connection.
        Err(_) => Err(DbError::Other("the transaction's task ended early".to_owned()).into()),
    }
}

async fn run<T, E, F>(mut conn: PoolConnection<Postgres>, limit: Duration, work: F) -> Result<T, E>
where
    F: for<'c> FnOnce(&'c mut PgConnection) -> TxFuture<'c, T, E> + Send,
    E: From<DbError>,
{
    let bounded = deadline::within(limit, async {
        let mut tx = conn.begin().await.map_err(DbError::from)?;
        match work(&mut tx).await {
            Ok(value) => Ok((tx, value)),
            Err(error) => {
                // A failed rollback leaves a broken connection, which the pool drops: the error that counts is
                // the work's.
                let _ = tx.rollback().await;
                Err(error)
            }
        }
    });
    match bounded.await {
        // The commit is outside of the limit: cut in the middle its outcome would be unknown.
        Some(Ok((tx, value))) => {
            tx.commit().await.map_err(DbError::from)?;
            return Ok(value);
        }
        Some(Err(error)) => return Err(error),
        None => {}
    }
    // A statement may still run on it: closing the socket is what makes the server stop it.
    drop(conn.detach());
    Err(DbError::TooLong.into())
}
