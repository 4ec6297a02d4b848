use eduhub_faults::Reason;
use eduhub_pg::in_tx;
use eduhub_proto::approval::v1::MarkTransferredRequest;

use super::model::{Transfer, summary};
use super::start::TX;
use super::store;
use crate::core::Core;
use crate::error::Error;
use crate::jobs::Job;

/// Tells approval that a transfer is done, with its outcome for the history.
///
/// # Errors
/// [`Error`]; passing ones are tried again.
pub async fn report(core: &Core, job: &Job, transfer: &Transfer) -> Result<(), Error> {
    let mut conn = core.pool.acquire().await?;
    let counts = crate::ledger::counts(&mut conn, transfer.transfer_id).await?;
    drop(conn);
    let request = MarkTransferredRequest {
        submission_id: transfer.submission_id.to_string(),
        note: summary(&crate::ledger::by_state(&counts)),
    };
    let answer = core.peers.submissions().mark_transferred(crate::peers::within_deadline(request)).await;
    let refused = match answer.map_err(|status| core.peers.fault("approval", status)) {
        Ok(_) => None,
        Err(fault) if matches!(fault.reason(), Reason::Unavailable | Reason::Internal) => {
            return Err(fault.into());
        }
        Err(fault) => Some(fault),
    };
    if let Some(fault) = &refused {
        // The submission was withdrawn or is gone: the ledger stays the truth about what was sent.
        tracing::error!(transfer_id = %transfer.transfer_id, %fault, "approval does not take the outcome");
    }
    let (lease, id, told) = (job.lease(), transfer.transfer_id, refused.is_none());
    in_tx(&core.pool, TX, move |conn| {
        Box::pin(async move {
            crate::jobs::finish(conn, &lease).await?;
            if told {
                store::mark_reported(conn, id).await?;
            }
            Ok::<_, Error>(())
        })
    })
    .await
}
