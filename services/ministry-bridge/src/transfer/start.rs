use std::time::Duration;

use eduhub_auth::Caller;
use eduhub_auth::SchoolPlace;
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, in_tx};
use eduhub_proto::approval::v1::{GetSubmissionRequest, Submission};
use eduhub_proto::bridge::v1::TransferState;
use uuid::Uuid;

use super::model::{NewTransfer, Transfer, approved, may_start, require};
use super::store::{self, Inserted};
use crate::core::Core;
use crate::error::Error;
use crate::jobs::{self, Work};

/// A transaction of a request: a handful of rows.
pub(super) const TX: Duration = Duration::from_secs(5);

/// Starts a transfer, or finds the one that is there.
pub(super) async fn start(
    core: &Core,
    caller: &Caller,
    transfer_id: Uuid,
    submission_id: Uuid,
) -> Result<Transfer, Error> {
    may_start(core.settings.initiator, caller)?;
    let submission = submission(core, submission_id).await?;
    require(caller, &place(&submission), submission.dataset())?;
    approved(&submission)?;
    let mode = crate::capability::mode(core, submission.dataset()).await?;
    let new = NewTransfer {
        transfer_id,
        submission_id,
        mode,
        started_by: caller.sub.clone(),
        traceparent: traceparent(&submission),
        submission,
    };
    let transfer = in_tx(&core.pool, TX, move |conn| {
        Box::pin(async move {
            match store::insert(conn, &new).await? {
                Inserted::New => jobs::put(conn, Work::Queue, new.transfer_id, new.transfer_id).await?,
                Inserted::Other(other) => {
                    return Err(Fault::new(Reason::AlreadyExists).meta("transfer_id", other).into());
                }
                Inserted::Known => {}
            }
            let found = store::lock(conn, new.transfer_id).await?;
            if found.submission_id != new.submission_id {
                return Err(Fault::new(Reason::AlreadyExists)
                    .detail("the id is in use for another submission")
                    .into());
            }
            if found.state == TransferState::Failed {
                store::restart(conn, found.transfer_id).await?;
                jobs::put(conn, Work::Queue, found.transfer_id, found.transfer_id).await?;
            }
            let found = store::find(conn, new.transfer_id).await?;
            found.ok_or(Error::Db(DbError::NoRow))
        })
    })
    .await?;
    core.wake.notify_one();
    Ok(transfer)
}

async fn submission(core: &Core, id: Uuid) -> Result<Submission, Fault> {
    let request = crate::peers::within_deadline(GetSubmissionRequest { submission_id: id.to_string() });
    let answer = core.peers.submissions().get_submission(request).await;
    answer.map(tonic::Response::into_inner).map_err(|status| core.peers.fault("approval", status))
}

fn place(submission: &Submission) -> SchoolPlace {
    SchoolPlace { school_code: submission.school_code.clone(), commune_code: submission.commune_code.clone() }
}

/// The trace of the data's way; without one, the trace of this request.
fn traceparent(submission: &Submission) -> String {
    let of_seal = || submission.seal.as_ref().map(|seal| seal.traceparent.clone());
    let stored = Some(submission.traceparent.clone()).filter(|text| !text.is_empty());
    stored
        .or_else(|| of_seal().filter(|text| !text.is_empty()))
        .or_else(eduhub_runtime::propagation::current_traceparent)
        .unwrap_or_default()
}
