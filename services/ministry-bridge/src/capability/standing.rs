//! How the Ministry answers, and what waits for it.
use std::time::Instant;

use eduhub_proto::bridge::v1::{LedgerState, MinistryReach, MinistryStanding};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::core::Core;
use crate::error::Error;
use crate::ministry::Failure;

/// Asks the Ministry, then the ledger.
///
/// # Errors
/// The database's: the Ministry's failures are the answer.
pub(super) async fn look(core: &Core) -> Result<MinistryStanding, Error> {
    let began = Instant::now();
    let asked = core.ministry.check().await;
    let took = began.elapsed();
    let (waiting, since) = owed(&mut *core.pool.acquire().await?).await?;
    Ok(MinistryStanding {
        reach: asked.as_ref().err().map_or(MinistryReach::Answers, reach).into(),
        code: asked.as_ref().err().map(|failure| failure.code().to_owned()).unwrap_or_default(),
        took: prost_types::Duration::try_from(took).ok(),
        circuit_open: core.ministry.breaker().is_open(),
        waiting: waiting.unsigned_abs(),
        waiting_since: since.map(|at| prost_types::Timestamp { seconds: at.unix_timestamp(), nanos: 0 }),
    })
}

fn reach(failure: &Failure) -> MinistryReach {
    match failure {
        Failure::Throttled(_) => MinistryReach::Throttled,
        // 4xx of the token's place: the credentials, or a wrong address.
        Failure::Away { code, .. } if code.starts_with("TOKEN-4") => MinistryReach::Refused,
        _ => MinistryReach::Away,
    }
}

/// Records without a final answer, as the metrics count them, and since when.
async fn owed(conn: &mut PgConnection) -> Result<(i64, Option<OffsetDateTime>), sqlx::Error> {
    let open = [LedgerState::Waiting, LedgerState::Queued, LedgerState::Sent].map(|state| state as i16);
    sqlx::query_as(
        "select count(*), min(t.started_at) from (select distinct transfer_id from job) j
         join transfer t using (transfer_id) join ledger l using (transfer_id) where l.state = any($1)",
    )
    .bind(open)
    .fetch_one(conn)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_of_the_token_speaks_against_the_credentials() {
        let away = |code: &str| reach(&Failure::Away { code: code.to_owned(), after: None });
        assert_eq!(away("TOKEN-401"), MinistryReach::Refused);
        assert_eq!(away("TOKEN-503"), MinistryReach::Away);
        assert_eq!(away("TOKEN"), MinistryReach::Away);
        assert_eq!(reach(&Failure::Throttled(std::time::Duration::ZERO)), MinistryReach::Throttled);
    }
}
