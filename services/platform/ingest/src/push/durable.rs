//! Pushes that write: each step is one transaction, and its answer is given after the commit.
use super::stream::Push;
use crate::{
    batch::{self, Batch},
    end, session,
};
use eduhub_changelog::{RecordSet, lock_school};
use eduhub_faults::Fault;
use eduhub_pg::in_tx;
use eduhub_proto::common::v1::{BatchReply, PushEnd, PushReceipt};
use std::sync::Arc;

/// Opens the session, or finds it to be resumed; gives its last durable batch, 0 for none.
pub(super) async fn open<S: RecordSet>(push: &Push<S>) -> Result<u32, Fault> {
    let admitted = &push.admitted;
    let (open, who, session_id) = (admitted.open.clone(), admitted.who.clone(), admitted.session_id);
    let traceparent = eduhub_runtime::propagation::current_traceparent();
    let session = in_tx(&push.ingest.pool, push.ingest.limits.transaction, move |conn| {
        Box::pin(async move {
            lock_school(conn, &open.school_code).await?;
            let opener =
                session::Opener { session_id, grant_id: who.grant_id, actor: &who.actor, traceparent };
            session::open(conn, &opener, &open).await
        })
    })
    .await?;
    Ok(session.last_batch.unsigned_abs())
}

/// Applies a batch, or gives again the answer that it got before.
pub(super) async fn apply<S: RecordSet>(push: &Arc<Push<S>>, batch: Batch) -> Result<BatchReply, Fault> {
    let (push, who) = (push.clone(), push.admitted.context());
    let (pool, limit, wake) =
        (push.ingest.pool.clone(), push.ingest.limits.transaction, push.ingest.wake.clone());
    let reply = in_tx(&pool, limit, move |conn| {
        Box::pin(async move {
            let codes = (push.ingest.codes)();
            batch::apply_once::<S>(conn, &who, &push.preparer(&codes), batch).await
        })
    })
    .await?;
    wake.notify_waiters();
    Ok(reply)
}

/// Completes the session.
pub(super) async fn complete<S: RecordSet>(push: &Push<S>, end: PushEnd) -> Result<PushReceipt, Fault> {
    let admitted = &push.admitted;
    let (who, session_id, open) = (admitted.context(), admitted.session_id, admitted.open.clone());
    let receipt = in_tx(&push.ingest.pool, push.ingest.limits.transaction, move |conn| {
        Box::pin(async move { end::complete::<S>(conn, &who, session_id, &open, &end).await })
    })
    .await?;
    push.ingest.wake.notify_waiters();
    Ok(receipt)
}
