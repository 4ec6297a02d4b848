//! What a service with records does beside serving.
use crate::marks;
use eduhub_changelog::Retention;
use eduhub_pg::{DbError, PgPool, in_tx};
use std::time::Duration;
use time::OffsetDateTime;

/// How often.
const PAUSE: Duration = Duration::from_secs(60);
/// Longest transaction of it.
const LIMIT: Duration = Duration::from_secs(10);

/// How long things are kept.
#[derive(Debug, Clone, Copy)]
pub struct KeepDays {
    /// Days of the change log; entries under a seal stay longer.
    pub log: u32,
    /// Days beyond `log` that entries stay which a stored subscription has not acknowledged.
    pub subscribed: u32,
    /// Days that a record waits for its parent.
    pub held: u32,
}

/// Prunes the log and marks, and expires held records, a bounded piece at a time. Never returns.
pub async fn housekeeping(pool: PgPool, keep: KeepDays) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let before = |days: u32| OffsetDateTime::now_utc() - time::Duration::days(i64::from(days));
        let done: Result<(), DbError> = in_tx(&pool, LIMIT, move |conn| {
            Box::pin(async move {
                crate::expire_held(conn, before(keep.held), 500).await?;
                marks::prune(conn, OffsetDateTime::now_utc() - marks::KEPT, 5_000).await?;
                let (log, subscribed) = (before(keep.log), before(keep.log + keep.subscribed));
                eduhub_changelog::prune(
                    conn,
                    Retention { before: log, subscribed_before: subscribed },
                    5_000,
                )
                .await?;
                Ok(())
            })
        })
        .await;
        if let Err(error) = done {
            tracing::warn!(%error, "housekeeping is delayed");
        }
    }
}
