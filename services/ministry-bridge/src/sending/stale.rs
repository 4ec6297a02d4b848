use std::collections::HashMap;

use eduhub_proto::bridge::v1::LedgerState;
use uuid::Uuid;

use crate::core::Core;
use crate::ledger::{Answer, Waiting};
use crate::ministry::{Failure, HeldRow};
use crate::transfer::Transfer;

/// A record that the Ministry calls stale may be the very one that was sent: its first answer was lost and it comes in another
/// batch now. Reads back what the Ministry holds: our version means accepted.
pub(super) async fn resolve(
    core: &Core,
    transfer: &Transfer,
    rows: &[Waiting],
    answers: &mut [Answer],
) -> Result<(), Failure> {
    let Some(kind) = rows.first().map(|row| row.ministry_type) else { return Ok(()) };
    let ours: HashMap<Uuid, i64> = rows.iter().map(|row| (row.record_id, row.version)).collect();
    let mut stale: HashMap<Uuid, &mut Answer> = answers
        .iter_mut()
        .filter(|answer| answer.state == LedgerState::Stale)
        .map(|answer| (answer.record_id, answer))
        .collect();
    let mut token = String::new();
    while !stale.is_empty() {
        let (held, next) = match core.ministry.held(&transfer.school_code, kind, &token).await {
            Ok(page) => page,
            // Not our batch is refused but the question: the word "stale" stands.
            Err(Failure::Refused { code, .. }) => {
                tracing::warn!(code, "the Ministry does not let us read back");
                break;
            }
            Err(failure) => return Err(failure),
        };
        for row in held {
            if let (Some(answer), Some(version)) = (stale.remove(&row.idbanghi), ours.get(&row.idbanghi)) {
                judge(answer, *version, row);
            }
        }
        match next {
            Some(next) => token = next,
            None => break,
        }
    }
    Ok(())
}

fn judge(answer: &mut Answer, ours: i64, held: HeldRow) {
    answer.held_version = Some(held.phienban);
    if held.phienban == ours {
        answer.state = LedgerState::Accepted;
        answer.code.clear();
        answer.message.clear();
        answer.ministry_code = held.ma_bo.unwrap_or_default();
    }
}
