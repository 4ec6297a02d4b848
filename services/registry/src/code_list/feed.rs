//! The feed of code lists: a snapshot, then what each version changed. Small and seldom, so each stream reads for itself when the
//! book tells of a new version.
use super::{CodeLists, InForce, store};
use eduhub_changelog::{Ahead, Cursor, CursorError, FeedIdentity, Phase, Position};
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::to_proto;
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::registry::v1::{Code, WatchCodeListsReply, WatchCodeListsRequest};
use sha2::{Digest, Sha256};
use std::{future::Future, time::Duration};
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// Entries in one message: about 100 KiB.
const AT_ONCE: usize = 1_000;
/// Messages that wait for a consumer; it is not read for meanwhile.
const AHEAD: usize = 2;
/// Longest wait for a consumer that takes nothing.
const STALL: Duration = Duration::from_secs(30);

type Replies = mpsc::Sender<Result<WatchCodeListsReply, Status>>;

/// Follows the lists until the consumer goes, its access ends or the server stops.
pub(super) async fn watch<E>(
    service: &CodeLists,
    request: WatchCodeListsRequest,
    ended: E,
) -> Result<ReceiverStream<Result<WatchCodeListsReply, Status>>, Fault>
where
    E: Future<Output = Fault> + Send + 'static,
{
    let mut conn = service.pool.acquire().await.map_err(DbError::from)?;
    let identity = FeedIdentity::read(&mut conn).await?;
    let newest = store::version(&mut conn).await?;
    drop(conn);
    let feed = CodeFeed {
        // Versions are never pruned.
        identity: FeedIdentity { pruned: Position::START, ..identity },
        filter: fingerprint(&request.lists),
        lists: request.lists,
        pool: service.pool.clone(),
        checkpoint: service.checkpoint,
    };
    let after = feed.position(&request.cursor, newest)?;
    let (out, replies) = mpsc::channel(AHEAD);
    let (follow, draining) = (service.book.follow(), service.draining.clone());
    tokio::spawn(async move {
        let fault = tokio::select! {
            outcome = feed.run(after, follow, &out) => outcome.err(),
            fault = ended => Some(fault),
            () = stopped(draining) => Some(Fault::stopping()),
            () = out.closed() => None,
        };
        if let Some(fault) = fault {
            let _ = out.send_timeout(Err(fault.into()), STALL).await;
        }
    });
    Ok(ReceiverStream::new(replies))
}

async fn stopped(draining: CancellationToken) {
    draining.cancelled().await;
}

/// The same for the same lists in any order.
fn fingerprint(lists: &[String]) -> u64 {
    let mut lists: Vec<&str> = lists.iter().map(String::as_str).collect();
    lists.sort_unstable();
    lists.dedup();
    let digest = Sha256::digest(format!("code-lists/{}", lists.join(",")));
    u64::from_be_bytes(digest[..8].try_into().unwrap_or_default())
}

struct CodeFeed {
    identity: FeedIdentity,
    filter: u64,
    lists: Vec<String>,
    pool: PgPool,
    checkpoint: Duration,
}

impl CodeFeed {
    /// Version that the consumer has; -1 when it has none, because seeds before versions were kept are of version 0.
    fn position(&self, cursor: &[u8], newest: i64) -> Result<i64, Fault> {
        if cursor.is_empty() {
            return Ok(-1);
        }
        let cursor = Cursor::decode(cursor, &self.identity, self.filter).map_err(|e| match e {
            CursorError::Malformed => Fault::new(Reason::CursorMalformed),
            CursorError::Foreign | CursorError::Expired => Fault::new(Reason::CursorForeign),
        })?;
        match cursor.phase {
            // A version that is still to come was of another life of the database.
            Phase::Tail(Position { seq, .. }) if seq <= newest => Ok(seq),
            _ => Err(Fault::new(Reason::CursorForeign)),
        }
    }

    fn cursor(&self, version: i64) -> Vec<u8> {
        let phase = Phase::Tail(Position { xid: 0, seq: version });
        Cursor { phase, ahead: Ahead::default(), filter: self.filter, scope: vec![] }.encode(&self.identity)
    }

    async fn run(
        &self,
        mut after: i64,
        mut follow: watch::Receiver<InForce>,
        out: &Replies,
    ) -> Result<(), Fault> {
        loop {
            follow.borrow_and_update();
            after = self.send_after(after, out).await?;
            // Either way round again: a sign of life is a message without entries.
            if let Ok(Err(_)) = tokio::time::timeout(self.checkpoint, follow.changed()).await {
                return Err(Fault::new(Reason::Unavailable));
            }
        }
    }

    /// Sends what came after a version, or that nothing did; gives the version that the consumer has then.
    async fn send_after(&self, after: i64, out: &Replies) -> Result<i64, Fault> {
        let (version, codes) = self.read(after).await?;
        let snapshot = after < 0;
        let mut parts = codes.chunks(AT_ONCE).peekable();
        // A snapshot resumes from its start: until it is complete there is no place to go on from.
        let begun = if snapshot { vec![] } else { self.cursor(after) };
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            let cursor = if last { self.cursor(version) } else { begun.clone() };
            self.put(out, part.to_vec(), cursor, snapshot, last, version).await?;
        }
        if codes.is_empty() {
            self.put(out, vec![], self.cursor(version), snapshot, true, version).await?;
        }
        Ok(version)
    }

    async fn put(
        &self,
        out: &Replies,
        codes: Vec<Code>,
        cursor: Vec<u8>,
        snapshot: bool,
        live: bool,
        version: i64,
    ) -> Result<(), Fault> {
        let server_time = Some(to_proto(OffsetDateTime::now_utc()));
        let reply = WatchCodeListsReply { codes, cursor, snapshot, live, version, server_time };
        let sent = out.send_timeout(Ok(reply), STALL).await;
        sent.map_err(|_| Fault::new(Reason::ConsumerTooSlow))
    }

    /// The newest version and what it has that the given one had not, of one moment.
    async fn read(&self, after: i64) -> Result<(i64, Vec<Code>), Fault> {
        let mut tx = self.pool.begin().await.map_err(DbError::from)?;
        sqlx::query("set transaction isolation level repeatable read read only")
            .execute(&mut *tx)
            .await
            .map_err(DbError::from)?;
        let version = store::version(&mut tx).await?;
        let codes = if version == after { vec![] } else { store::codes(&mut tx, &self.lists, after).await? };
        tx.rollback().await.map_err(DbError::from)?;
        Ok((version, codes))
    }
}
