use eduhub_faults::Fault;
use eduhub_proto::bridge::v1::LedgerEvent;
use sha2::{Digest, Sha256};

use crate::core::Core;
use crate::error::Error;
use crate::fill::aad;
use crate::ledger::Waiting;
use crate::mapping::{Fields, key_in_year};
use crate::ministry::{Batch, Entry, Event};
use crate::transfer::Transfer;

/// Idempotency key and body of a batch. Both follow from its rows alone: however often it is sent, they are the same bytes.
pub(super) fn request(
    core: &Core,
    transfer: &Transfer,
    rows: &[Waiting],
) -> Result<(String, Vec<u8>), Error> {
    let entries = rows.iter().map(|row| entry(core, transfer, row)).collect::<Result<Vec<_>, Error>>()?;
    let batch = Batch {
        loai: rows.first().map_or(0, |row| row.ministry_type),
        ma_truong: transfer.school_code.clone(),
        nam_hoc: transfer.school_year,
        ban_ghi: entries,
    };
    let body = serde_json::to_vec(&batch).map_err(Fault::internal)?;
    Ok((key(transfer, rows), body))
}

/// One key per set of record versions: the transfer is in it, because the same versions sent for a later transfer are a new
/// question (the class they hang on may be there by then).
fn key(transfer: &Transfer, rows: &[Waiting]) -> String {
    let mut hash = Sha256::new();
    hash.update(transfer.transfer_id.as_bytes());
    for row in rows {
        hash.update(row.record_id.as_bytes());
        hash.update(row.version.to_be_bytes());
        hash.update([row.event as u8]);
    }
    hex::encode(hash.finalize())
}

fn entry(core: &Core, transfer: &Transfer, row: &Waiting) -> Result<Entry, Error> {
    let du_lieu: Fields = match &row.payload {
        Some(sealed) => {
            let plain = core.vault.open(&aad(transfer.transfer_id, row.record_id), sealed)?;
            serde_json::from_slice(&plain).map_err(|_| Fault::internal("a payload is not what was sealed"))?
        }
        None => Fields::new(),
    };
    Ok(Entry {
        idbanghi: row.record_id,
        phienban: row.version,
        sukien: match row.event {
            LedgerEvent::Cancel => Event::Cancel,
            LedgerEvent::Update => Event::Update,
            LedgerEvent::New | LedgerEvent::Unspecified => Event::New,
        },
        khoa: key_in_year(row.kind, &row.record_key).to_owned(),
        du_lieu,
    })
}
