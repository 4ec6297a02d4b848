//! The account of a VALIDATE_ONLY push: everything is tried as it would be written, then rolled back.
use super::stream::Push;
use crate::{
    batch::{self, Batch},
    counts,
    outcome::Earlier,
    session::db,
    timestamps::to_proto,
};
use eduhub_changelog::{RecordSet, lock_school};
use eduhub_faults::Fault;
use eduhub_pg::{DbError, in_tx};
use eduhub_proto::common::v1::{BatchReply, PushCounts, PushEnd, PushReceipt};
use std::{convert::Infallible, sync::Arc};
use time::OffsetDateTime;

/// What a stream that writes nothing came to so far. It leaves no session behind.
#[derive(Default)]
pub(super) struct Tried {
    totals: PushCounts,
    earlier: Earlier,
}

impl Tried {
    /// Says what a batch would come to after those before it.
    pub async fn apply<S: RecordSet>(
        &mut self,
        push: &Arc<Push<S>>,
        batch: Batch,
    ) -> Result<BatchReply, Fault> {
        let (reply, earlier) = roll_back(push, batch, std::mem::take(&mut self.earlier)).await?;
        counts::add(&mut self.totals, reply.counts.as_ref().unwrap_or(&Default::default()));
        self.earlier = earlier;
        Ok(reply)
    }

    /// What the push came to. Count and digest are the client's own: there is no session to compare them with.
    pub fn receipt<S: RecordSet>(&self, push: &Push<S>, end: PushEnd) -> PushReceipt {
        PushReceipt {
            session_id: push.admitted.session_id.to_string(),
            record_count: end.record_count,
            digest: end.digest,
            totals: Some(self.totals),
            completed_at: Some(to_proto(OffsetDateTime::now_utc())),
            ..Default::default()
        }
    }
}

/// Writes a batch in a transaction that never commits: the answer leaves it as an error.
async fn roll_back<S: RecordSet>(
    push: &Arc<Push<S>>,
    batch: Batch,
    mut earlier: Earlier,
) -> Result<(BatchReply, Earlier), Fault> {
    let (push, who) = (push.clone(), push.admitted.context());
    let (pool, limit) = (push.ingest.pool.clone(), push.ingest.limits.transaction);
    let outcome: Result<Infallible, RolledBack> = in_tx(&pool, limit, move |conn| {
        Box::pin(async move {
            let codes = (push.ingest.codes)();
            lock_school(conn, &who.school_code).await.map_err(db)?;
            let rules = &*push.ingest.stored;
            let preparer = push.preparer(&codes);
            let mut pen = push.ingest.load.pen();
            let applied =
                batch::apply::<S>(conn, &who, &preparer, rules, &mut pen, batch, &mut earlier).await?;
            Err(RolledBack::Tried(Box::new((applied.reply, earlier))))
        })
    })
    .await;
    match outcome {
        Ok(never) => match never {},
        Err(RolledBack::Tried(answer)) => Ok(*answer),
        Err(RolledBack::Failed(fault)) => Err(fault),
    }
}

/// Why the transaction of a trial ends: with its answer, or before it.
enum RolledBack {
    Tried(Box<(BatchReply, Earlier)>),
    Failed(Fault),
}

impl From<Fault> for RolledBack {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

impl From<DbError> for RolledBack {
    fn from(error: DbError) -> Self {
        Self::Failed(db(error))
    }
}
