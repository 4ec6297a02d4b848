//! What the batches of a stream come to.
use super::{durable, stream::Push, tried::Tried};
use crate::batch::Batch;
use eduhub_changelog::RecordSet;
use eduhub_faults::Fault;
use eduhub_proto::common::v1::{BatchReply, PushEnd, PushMode, PushReceipt};
use std::sync::Arc;

/// Rows that stay, or (VALIDATE_ONLY) an account of what would have stayed.
pub(super) enum Effect {
    Durable,
    Tried(Tried),
}

impl Effect {
    /// The effect of a push, with its last durable batch; 0 for none.
    pub async fn begin<S: RecordSet>(push: &Push<S>) -> Result<(Self, u32), Fault> {
        if push.admitted.mode == PushMode::ValidateOnly {
            return Ok((Self::Tried(Tried::default()), 0));
        }
        Ok((Self::Durable, durable::open(push).await?))
    }

    pub async fn apply<S: RecordSet>(
        &mut self,
        push: &Arc<Push<S>>,
        batch: Batch,
    ) -> Result<BatchReply, Fault> {
        match self {
            Self::Durable => durable::apply(push, batch).await,
            Self::Tried(tried) => tried.apply(push, batch).await,
        }
    }

    pub async fn complete<S: RecordSet>(&self, push: &Push<S>, end: PushEnd) -> Result<PushReceipt, Fault> {
        match self {
            Self::Durable => durable::complete(push, end).await,
            Self::Tried(tried) => Ok(tried.receipt(push, end)),
        }
    }
}
