use eduhub_proto::bridge::v1 as pb;
use eduhub_proto::common::v1::Kind;
use prost_types::Timestamp;
use time::OffsetDateTime;

use super::model::Transfer;
use crate::ledger::KindCount;

/// A time as the API writes it.
pub fn timestamp(at: OffsetDateTime) -> Timestamp {
    Timestamp { seconds: at.unix_timestamp(), nanos: i32::try_from(at.nanosecond()).unwrap_or(0) }
}

/// A transfer with its counts.
pub(super) fn transfer(t: Transfer, counts: &[KindCount]) -> pb::Transfer {
    pb::Transfer {
        transfer_id: t.transfer_id.to_string(),
        submission_id: t.submission_id.to_string(),
        seal_id: t.seal_id,
        school_code: t.school_code,
        school_year: t.school_year,
        dataset: t.dataset.into(),
        period: t.period.into(),
        mode: t.mode.into(),
        state: t.state.into(),
        counts: crate::ledger::by_state(counts)
            .into_iter()
            .map(|(state, records)| pb::StateCount { state: state.into(), records })
            .collect(),
        counts_by_kind: counts
            .iter()
            .map(|count| pb::KindStateCount {
                kind: Kind::into(count.kind),
                state: count.state.into(),
                records: count.records,
            })
            .collect(),
        started_by: t.started_by,
        started_at: Some(timestamp(t.started_at)),
        finished_at: t.finished_at.map(timestamp),
        problem: t.problem,
        reported: t.reported_at.is_some(),
    }
}
