use eduhub_auth::Caller;
use eduhub_faults::{Fault, Reason};
use eduhub_pg::in_tx;
use eduhub_proto::bridge::v1::export_part::Part;
use eduhub_proto::bridge::v1::{ConfirmEnteredRequest, ExportHead, ExportPart, TransferState};
use futures::stream::{self, BoxStream, StreamExt};
use tonic::Status;

use super::book::kinds;
use super::cells::highest_class;
use super::store;
use crate::core::Core;
use crate::error::Error;
use crate::fill::TX;
use crate::ledger;
use crate::transfer::{self, Transfer};

/// Bytes of one message.
const PART: usize = 64 << 10;

/// The workbook of a transfer as a stream, which ends early when the caller's right does.
///
/// # Errors
/// NOT_FOUND, WRONG_STATE, FORBIDDEN for a caller who may not see the class of its columns.
pub async fn stream(
    core: &Core,
    caller: Caller,
    id: &str,
) -> Result<BoxStream<'static, Result<ExportPart, Status>>, Error> {
    let transfer = transfer::visible(core, &caller, id).await?;
    if highest_class(kinds(transfer.dataset)) > caller.max_class {
        return Err(Fault::new(Reason::Forbidden).meta("dataset", transfer.dataset.as_str_name()).into());
    }
    let mut conn = core.pool.acquire().await?;
    let export = store::find(&mut conn, transfer.transfer_id).await?;
    let export = export.ok_or_else(|| wrong_state(&transfer))?;
    let file = core.vault.open(&store::aad(transfer.transfer_id), &export.sealed)?;
    let head = ExportHead {
        file_name: export.file_name,
        sha256: export.sha256,
        size_bytes: u64::try_from(export.size_bytes).unwrap_or(0),
        records: u64::try_from(export.records).unwrap_or(0),
    };
    let parts: Vec<Part> = std::iter::once(Part::Head(head))
        .chain(file.chunks(PART).map(|bytes| Part::Data(bytes.to_vec())))
        .collect();
    let parts = stream::iter(parts).map(|part| Ok(ExportPart { part: Some(part) }));
    let end = stream::once(caller.revoked()).map(|fault| Err(Status::from(fault)));
    Ok(until_revoked(parts, end).boxed())
}

/// The parts, cut by the first item of `end`.
fn until_revoked<S, E>(
    parts: S,
    end: E,
) -> impl futures::Stream<Item = Result<ExportPart, Status>> + Send + 'static
where
    S: futures::Stream<Item = Result<ExportPart, Status>> + Send + Unpin + 'static,
    E: futures::Stream<Item = Result<ExportPart, Status>> + Send + 'static,
{
    let end = Box::pin(end);
    stream::unfold(Some((parts, end)), |state| async move {
        let (mut parts, mut end) = state?;
        tokio::select! {
            biased;
            Some(refusal) = end.next() => Some((refusal, None)),
            part = parts.next() => part.map(|part| (part, Some((parts, end)))),
        }
    })
}

/// The school keyed the workbook in.
///
/// # Errors
/// NOT_FOUND, WRONG_STATE, DIGEST_MISMATCH.
pub async fn confirm(core: &Core, caller: &Caller, asked: ConfirmEnteredRequest) -> Result<Transfer, Error> {
    let transfer = transfer::visible(core, caller, &asked.transfer_id).await?;
    let (id, by, batch) = (transfer.transfer_id, caller.sub.clone(), core.settings.batch);
    let transfer = in_tx(&core.pool, TX, move |conn| {
        Box::pin(async move {
            let transfer = transfer::lock(conn, id).await?;
            let digest = store::digest(conn, id).await?.ok_or_else(|| wrong_state(&transfer))?;
            if digest != asked.sha256 {
                return Err(Error::from(Fault::new(Reason::DigestMismatch)));
            }
            if transfer.state == TransferState::Exported {
                store::confirm(conn, id, &by).await?;
                ledger::confirm_entered(conn, id).await?;
                ledger::advance(conn, id, batch).await?;
            }
            Ok(transfer::lock(conn, id).await?)
        })
    })
    .await?;
    core.wake.notify_one();
    Ok(transfer)
}

fn wrong_state(transfer: &Transfer) -> Fault {
    Fault::new(Reason::WrongState)
        .meta("state", transfer.state.as_str_name())
        .meta("mode", transfer.mode.as_str_name())
}
