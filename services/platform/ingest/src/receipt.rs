//! What a signed receipt says of a session.
use eduhub_changelog::WriteContext;
use eduhub_proto::common::v1::{Kind, PushMode, PushOpen, PushReceipt};
use eduhub_receipts::{Counts, Delivery, Stamp};

/// The receipt with its proof.
///
/// # Errors
/// When it can't be signed.
pub(crate) fn signed(
    stamp: &Stamp,
    who: &WriteContext,
    open: &PushOpen,
    receipt: PushReceipt,
) -> Result<PushReceipt, eduhub_auth::KeyError> {
    let signed = stamp.sign(&delivery(stamp, who, open, &receipt))?;
    Ok(PushReceipt { signed, ..receipt })
}

fn delivery(stamp: &Stamp, who: &WriteContext, open: &PushOpen, receipt: &PushReceipt) -> Delivery {
    let totals = receipt.totals.unwrap_or_default();
    let name = |name: &str, prefix: &str| name.trim_start_matches(prefix).to_owned();
    let mode = PushMode::try_from(open.mode).unwrap_or_default();
    let kinds = open.full_kinds.iter().filter(|_| mode == PushMode::Full);
    let kinds = kinds.map(|kind| Kind::try_from(*kind).unwrap_or_default());
    Delivery {
        iss: stamp.issuer().to_owned(),
        iat: receipt.completed_at.map_or(0, |at| at.seconds),
        sub: receipt.session_id.clone(),
        school_code: open.school_code.clone(),
        school_year: open.school_year,
        mode: name(mode.as_str_name(), "PUSH_MODE_"),
        full_kinds: kinds.map(|kind| name(kind.as_str_name(), "KIND_")).collect(),
        grant_id: who.grant_id.map(|id| id.to_string()),
        batches: receipt.batches,
        record_count: receipt.record_count,
        digest: hex::encode(&receipt.digest),
        counts: Counts {
            created: totals.created,
            updated: totals.updated,
            unchanged: totals.unchanged,
            rejected: totals.rejected,
            held: totals.held,
            admitted: totals.admitted,
            withdrawn: totals.withdrawn,
        },
    }
}
