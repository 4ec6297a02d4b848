//! Pushes that write: each step is one transaction, and its answer is given after the commit.
use super::stream::Push;
use crate::{
    batch::{self, Batch},
    end::{self, Ending},
    session,
};
use eduhub_changelog::{Epochs, RecordSet, lock_school};
use eduhub_faults::Fault;
use eduhub_pg::in_tx;
use eduhub_proto::common::v1::{BatchReply, PushEnd, PushReceipt};
use std::sync::Arc;
use tokio::time::Instant;

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
    let turn = push.ingest.load.turn().await;
    let hint = turn.hint(&push.ingest.limits);
    let _counted = Counted::commit_of(push);
    let (push, who) = (push.clone(), push.admitted.context());
    let (pool, limit, wake) =
        (push.ingest.pool.clone(), push.ingest.limits.transaction, push.ingest.wake.clone());
    let (measured, began) = (push.ingest.load.measured.clone(), Instant::now());
    let applied = in_tx(&pool, limit, move |conn| {
        Box::pin(async move {
            // Kept by the transaction, which goes on when the client has gone.
            let _turn = turn;
            let codes = (push.ingest.codes)();
            let rules = &*push.ingest.stored;
            let mut pen = push.ingest.load.pen();
            batch::apply_once::<S>(conn, &who, &push.preparer(&codes), rules, &mut pen, batch).await
        })
    })
    .await?;
    wake.notify_waiters();
    measured.batch(began.elapsed(), &applied.tally);
    Ok(BatchReply { hint, ..applied.reply })
}

/// Completes the session.
pub(super) async fn complete<S: RecordSet>(push: &Push<S>, end: PushEnd) -> Result<PushReceipt, Fault> {
    let _counted = Counted::commit_of(push);
    let admitted = &push.admitted;
    let (who, session_id, open) = (admitted.context(), admitted.session_id, admitted.open.clone());
    let (rules, stamp) = (push.ingest.stored.clone(), push.ingest.stamp.clone());
    let (receipt, tally) = in_tx(&push.ingest.pool, push.ingest.limits.transaction, move |conn| {
        Box::pin(async move {
            let (rules, stamp) = (&*rules, &stamp);
            let ending = Ending { who: &who, rules, stamp, session_id, open: &open, end: &end };
            end::complete::<S>(conn, ending).await
        })
    })
    .await?;
    push.ingest.wake.notify_waiters();
    push.ingest.load.measured.records(&tally);
    Ok(receipt)
}

/// Counts a commit to the school of a push when the step is over and before its answer is given. However it ends: after an
/// error, too, it may have been committed.
struct Counted {
    epochs: Arc<Epochs>,
    school_code: String,
}

impl Counted {
    fn commit_of<S: RecordSet>(push: &Push<S>) -> Self {
        let (epochs, school_code) = (push.ingest.epochs.clone(), push.admitted.open.school_code.clone());
        Self { epochs, school_code }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.epochs.count(&self.school_code);
    }
}
