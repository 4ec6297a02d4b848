//! A consumer's request, narrowed by its grant.
use crate::{filter::View, head::Feed, stream::Item};
use eduhub_auth::{Caller, Gate};
use eduhub_changelog::{RecordSet, Table};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::WatchRequest;
use std::{collections::HashSet, sync::Arc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// Changes in one batch when the consumer names no number.
const DEFAULT_BATCH: u32 = 1_000;
/// Changes in one batch at most.
const LARGEST_BATCH: u32 = 5_000;

impl<S: RecordSet> Feed<S> {
    /// Follows the feed as a caller asks and may: until it goes or stalls, its access is revoked, or the server drains.
    ///
    /// # Errors
    /// PERMISSION_DENIED/FORBIDDEN for a kind, NOT_FOUND/SCHOOL_NOT_FOUND for a school out of its reach; UNAVAILABLE when
    /// its reach can't be told now.
    pub async fn follow(
        self: &Arc<Self>,
        gate: &Gate,
        caller: &Caller,
        request: WatchRequest,
        draining: CancellationToken,
    ) -> Result<ReceiverStream<Result<Item<S::Record>, Status>>, Fault> {
        let kinds = kinds::<S>(caller, &request.kinds)?;
        let schools = schools(gate.reach(caller).await?, request.school_codes)?;
        let view = View { kinds, schools, max_class: caller.max_class };
        let max_batch =
            if request.max_batch == 0 { DEFAULT_BATCH } else { request.max_batch.min(LARGEST_BATCH) };
        let revoked = caller.revoked();
        let ended = async move {
            tokio::select! {
                fault = revoked => fault,
                () = draining.cancelled() => Fault::new(Reason::Unavailable).detail("server is stopping"),
            }
        };
        Ok(self.watch(view, request.cursor, max_batch as usize, ended))
    }
}

fn kinds<S: RecordSet>(caller: &Caller, asked: &[i32]) -> Result<Vec<i32>, Fault> {
    let held = |t: &&Table| caller.has_domain(t.meta.domain());
    for kind in asked {
        let table = S::table(*kind).filter(held);
        table.ok_or_else(|| Fault::new(Reason::Forbidden).meta("kind", kind))?;
    }
    let wanted = |t: &&Table| asked.is_empty() || asked.contains(&t.meta.kind);
    Ok(S::tables().iter().filter(held).filter(wanted).map(|t| t.meta.kind).collect())
}

fn schools(reach: Option<HashSet<String>>, asked: Vec<String>) -> Result<Option<HashSet<String>>, Fault> {
    if asked.is_empty() {
        return Ok(reach);
    }
    let asked: HashSet<String> = asked.into_iter().collect();
    match reach {
        Some(reach) if !asked.is_subset(&reach) => Err(Fault::new(Reason::SchoolNotFound)),
        _ => Ok(Some(asked)),
    }
}
