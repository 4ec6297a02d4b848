//! Wake-ups between the processes of a service: one NOTIFY for the commits of a moment, after them and from a connection of its
//! own. In the ingest's transaction it would hold a lock of the whole database through each commit.
use eduhub_changelog::FeedIdentity;
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgPool, postgres::PgListener};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Between two notifications: commits of this time share one.
const GAP: Duration = Duration::from_millis(10);
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells other processes of commits here (`local`), and wakes readers here of commits there (`remote`). Never returns.
pub(crate) async fn relay(pool: PgPool, local: Arc<Notify>, remote: Arc<Notify>) {
    let own = uuid::Uuid::now_v7().simple().to_string();
    loop {
        let Err(error) = exchange(&pool, &own, &local, &remote).await;
        // The poll stands in meanwhile.
        tracing::warn!(%error, "wake-ups between processes are interrupted");
        tokio::time::sleep(PAUSE).await;
    }
}

enum Never {}

async fn exchange(pool: &PgPool, own: &str, local: &Notify, remote: &Notify) -> Result<Never, DbError> {
    let mut conn = pool.acquire().await?;
    // Of this database and schema alone: channels are the database's.
    let channel = format!("feed_{}", FeedIdentity::read(&mut conn).await?.database_id.simple());
    drop(conn);
    // A commit that only tells of another need not be durable: no wait for the disk.
    let tell = format!("begin; set local synchronous_commit = off; notify {channel}, '{own}'; commit");
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(&channel).await?;
    let hear = async {
        loop {
            if listener.recv().await?.payload() != own {
                remote.notify_waiters();
            }
        }
    };
    let speak = async {
        let mut committed = std::pin::pin!(local.notified());
        loop {
            committed.as_mut().await;
            tokio::time::sleep(GAP).await;
            // Listening again before telling: a commit from here on is told of by the next one.
            committed.set(local.notified());
            committed.as_mut().enable();
            sqlx::raw_sql(AssertSqlSafe(tell.as_str())).execute(pool).await?;
        }
    };
    tokio::select! { outcome = hear => outcome, outcome = speak => outcome }
}
