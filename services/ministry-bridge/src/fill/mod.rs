//! Fills the ledger of a transfer from its seal, page by page; or writes its workbook.
//!
//! Each page is one transaction. A worker that takes over starts from the first page again and changes nothing that is
//! there. Sending begins when the ledger is complete.

use std::time::Duration;

use eduhub_pg::in_tx;
use eduhub_proto::bridge::v1::{LedgerState, TransferMode};
use eduhub_vault::{DigestKey, Vault, record_digest};
use uuid::Uuid;

use crate::core::Core;
use crate::error::Error;
use crate::export;
use crate::jobs::{self, Job};
use crate::ledger::{self, Row};
use crate::mapping::{Outgoing, canonical, sent_kinds};
use crate::seal::Walk;
use crate::transfer::{self, Transfer};

/// A page of 500 rows takes some 50 ms; a school's cancels and batches are one statement each.
pub(crate) const TX: Duration = Duration::from_secs(15);

/// Does the first work of a transfer.
///
/// # Errors
/// [`Error`].
pub async fn fill(core: &Core, job: &Job, transfer: &Transfer) -> Result<(), Error> {
    let by_hand = transfer.mode == TransferMode::Manual;
    let digest_key = core.vault.school_digest_key(&transfer.school_code);
    let seal = transfer.seal();
    let mut walk = Walk::new(&core.peers, seal.clone());
    while let Some(page) = walk.next().await? {
        if page.is_empty() {
            continue;
        }
        let state = if by_hand { LedgerState::Exported } else { LedgerState::Queued };
        let rows = page
            .iter()
            .map(|outgoing| row(&core.vault, &digest_key, transfer.transfer_id, outgoing, by_hand))
            .collect::<Result<Vec<_>, _>>()?;
        let (id, seal) = (transfer.transfer_id, seal.clone());
        in_tx(&core.pool, TX, move |conn| {
            Box::pin(async move { Ok::<_, Error>(ledger::enter(conn, id, &seal, &rows, state).await?) })
        })
        .await?;
    }
    if by_hand { export::write(core, job, transfer).await } else { complete(core, job, transfer).await }
}

fn row(
    vault: &Vault,
    key: &DigestKey,
    transfer_id: Uuid,
    out: &Outgoing,
    by_hand: bool,
) -> Result<Row, Error> {
    let mut bytes = canonical(&out.fields);
    if by_hand {
        // A workbook has columns that no payload has: its rows change with the record itself.
        bytes.extend_from_slice(&out.version.to_be_bytes());
    }
    let payload = if by_hand { None } else { Some(vault.seal(&aad(transfer_id, out.record_id), &bytes)?) };
    Ok(Row {
        record_id: out.record_id,
        kind: out.kind,
        record_key: out.record_key.clone(),
        version: out.version,
        digest: record_digest(key, &bytes),
        payload,
        parent: out.parent.clone(),
    })
}

/// Ties a sealed payload to its row.
pub fn aad(transfer_id: Uuid, record_id: Uuid) -> Vec<u8> {
    format!("bridge/ledger/{transfer_id}/{record_id}").into_bytes()
}

/// The ledger is complete: what is gone is cancelled, and sending begins.
async fn complete(core: &Core, job: &Job, transfer: &Transfer) -> Result<(), Error> {
    let (lease, id, seal, batch) = (job.lease(), transfer.transfer_id, transfer.seal(), core.settings.batch);
    in_tx(&core.pool, TX, move |conn| {
        Box::pin(async move {
            transfer::lock(conn, id).await?;
            jobs::finish(conn, &lease).await?;
            ledger::cancel_absent(conn, id, &seal, sent_kinds(seal.dataset)).await?;
            transfer::mark_sending(conn, id).await?;
            ledger::advance(conn, id, batch).await?;
            Ok::<_, Error>(())
        })
    })
    .await?;
    core.wake.notify_waiters();
    Ok(())
}

/// The seal can't be read, and no time will mend it: the transfer says so, and can be started again.
///
/// # Errors
/// [`Error`].
pub async fn abandon(core: &Core, job: &Job, error: &Error) -> Result<(), Error> {
    let (lease, id, problem) = (job.lease(), job.transfer_id, error.to_string());
    in_tx(&core.pool, TX, move |conn| {
        Box::pin(async move {
            transfer::lock(conn, id).await?;
            jobs::finish(conn, &lease).await?;
            transfer::mark_failed(conn, id, &problem).await?;
            Ok::<_, Error>(())
        })
    })
    .await
}
