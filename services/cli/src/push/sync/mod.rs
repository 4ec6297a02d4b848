//! Pushing only what differs (digest handshake: `eduhub/common/v1/compare.proto`).
//!
//! [`sync_school`] takes the digests of all records ([`inventory`]), asks the hub kind by kind which of them it lacks or holds
//! differently ([`ask`]), and pushes those, and the withdrawals of what the sender no longer has ([`difference`]), in one PATCH
//! session. Memory: key and digest of each record of the school, not the records.

mod ask;
mod difference;
mod inventory;

use super::{Event, Job, Outcome, PushError, Source, push_school};
use crate::hub::Hub;
use crate::lines::LineError;
use crate::retry::{Pauses, worth_repeating};
use crate::server::Server;
use ask::{Asking, KindDifference};
use difference::Difference;
use eduhub_proto::common::v1::Kind;
use eduhub_runtime::client::ClientError;
use eduhub_vault::RecordDigester;
use futures::{StreamExt, TryStreamExt, stream};
use inventory::Inventory;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use tonic::Status;

/// Kinds that are compared at once.
const AT_ONCE: usize = 4;

/// What a comparison may do.
#[derive(Clone, Debug, Default)]
pub struct SyncOptions {
    /// Kinds that are compared beside those that the source has: of a kind without any record in the source, all that the hub
    /// holds is withdrawn.
    pub kinds: Vec<Kind>,
    /// Withdraws even if more than half of what the hub holds of a kind would go.
    pub allow_shrink: bool,
}

/// What one kind came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncedKind {
    /// Kind.
    pub kind: Kind,
    /// Records of the source.
    pub compared: u64,
    /// Records that the hub held before.
    pub hub_records: u64,
    /// Records that were sent.
    pub sent: u64,
    /// Records that were taken away.
    pub withdrawn: u64,
    /// Records that are still to be taken away: there were too many for one comparison, run it again.
    pub left: u64,
}

/// A finished comparison.
#[derive(Debug)]
pub struct Synced {
    /// By kind.
    pub kinds: Vec<SyncedKind>,
    /// The push of the differences; `None` when nothing differed.
    pub push: Option<Outcome>,
}

impl Synced {
    /// Sum over the kinds.
    pub fn sum(&self, of: impl Fn(&SyncedKind) -> u64) -> u64 {
        self.kinds.iter().map(of).sum()
    }
}

/// Why a comparison did not complete. Nothing is lost: the next one finds what is still different.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The hub refuses to compare, or could not be reached.
    #[error("the comparison of school {school_code} failed: {}", crate::explain::short(status))]
    Refused {
        /// School.
        school_code: String,
        /// Answer.
        status: Box<Status>,
    },
    /// Too much would be taken away; nothing was sent.
    #[error("nothing was sent: {}; if that is meant, say --allow-shrink", shrinking(.0))]
    Shrinks(Vec<SyncedKind>),
    /// One group has more records than one comparison takes.
    #[error("{} group {group:?}: {records} records, more than the {} of one comparison", .kind.as_str_name(), ask::MAX_RECORDS)]
    GroupTooLarge {
        /// Kind.
        kind: Kind,
        /// Group.
        group: String,
        /// Records in it.
        records: usize,
    },
    /// The records can't be read.
    #[error("the records can't be read: {0}")]
    Source(#[from] LineError),
    /// The differences could not be pushed.
    #[error("the differences could not be pushed (the next comparison finds what is missing): {0}")]
    Push(#[from] PushError),
    /// The server's address or certificates are not usable.
    #[error(transparent)]
    Client(#[from] ClientError),
}

fn shrinking(kinds: &[SyncedKind]) -> String {
    let one = |k: &SyncedKind| {
        let gone = k.withdrawn + k.left;
        format!(
            "{gone} of the {} records of {} that the hub holds would be withdrawn",
            k.hub_records,
            k.kind.as_str_name()
        )
    };
    kinds.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Makes the hub's records of one school those of the source: all kinds that the source has records of, and those that are
/// named. The job's mode must be PATCH, or VALIDATE_ONLY to see what would come of it.
///
/// # Errors
/// [`SyncError`]. Problems of records are not errors: they are in the findings of the push.
pub async fn sync_school<H: Hub>(
    server: &Server,
    job: &Job,
    sync: &SyncOptions,
    source: impl Source<H::Record>,
    progress: impl FnMut(Event<'_>) + Send,
) -> Result<Synced, SyncError> {
    let source: Arc<dyn Source<H::Record>> = Arc::new(source);
    let differences = compare::<H>(server, job, sync, &source).await?;
    let kinds: Vec<SyncedKind> = differences.iter().map(KindDifference::summary).collect();
    if !sync.allow_shrink {
        refuse_shrinking(&kinds)?;
    }
    let difference = Difference::new(source, differences);
    if difference.is_empty() {
        return Ok(Synced { kinds, push: None });
    }
    let outcome = push_school::<H>(server, job, difference, progress).await?;
    Ok(Synced { kinds, push: Some(outcome) })
}

/// A file that was cut off, or of another school, must not empty the hub.
fn refuse_shrinking(kinds: &[SyncedKind]) -> Result<(), SyncError> {
    let shrinks = |k: &&SyncedKind| (k.withdrawn + k.left) * 2 > k.hub_records;
    let kinds: Vec<SyncedKind> = kinds.iter().filter(shrinks).copied().collect();
    if kinds.is_empty() { Ok(()) } else { Err(SyncError::Shrinks(kinds)) }
}

async fn compare<H: Hub>(
    server: &Server,
    job: &Job,
    sync: &SyncOptions,
    source: &Arc<dyn Source<H::Record>>,
) -> Result<Vec<KindDifference>, SyncError> {
    let refused =
        |status| SyncError::Refused { school_code: job.school_code.clone(), status: Box::new(status) };
    let channel = server.channel()?;
    let key = patiently(job.attempts, || H::digest_key(channel.clone(), &job.school_code))
        .await
        .map_err(refused)?;
    let secret: [u8; 32] =
        key.key.as_slice().try_into().map_err(|_| refused(Status::internal("no key of 32 bytes")))?;
    let digester = RecordDigester::new(&secret);
    let reading = source.clone();
    let read = tokio::task::spawn_blocking(move || Inventory::of::<H>(reading.as_ref(), &digester)).await;
    let inventory = read.map_err(|_| refused(Status::internal("the reader of the records ended")))??;
    let kinds: BTreeSet<i32> = inventory.kinds().chain(sync.kinds.iter().map(|k| *k as i32)).collect();
    let asking = Asking { channel, job, key_id: key.key_id };
    let asked: Vec<_> =
        kinds.into_iter().map(|kind| asking.kind::<H>(kind, inventory.of_kind(kind))).collect();
    let mut differences: Vec<KindDifference> =
        stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?;
    differences.sort_by_key(|d| d.kind as i32);
    Ok(differences)
}

/// Asks again as long as that is worth it.
async fn patiently<T, F>(attempts: usize, ask: impl Fn() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    let mut pauses = Pauses::new(attempts);
    loop {
        let status = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(status) => status,
        };
        match pauses.next(Some(&status)).filter(|_| worth_repeating(&status)) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(status),
        }
    }
}
