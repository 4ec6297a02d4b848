//! The Ministry's side, as the bridge meets it.
use super::service::words;
use super::{Finding, Level, PATIENCE};
use crate::server::Server;
use eduhub_proto::bridge::v1::capability_service_client::CapabilityServiceClient;
use eduhub_proto::bridge::v1::{CheckMinistryRequest, MinistryReach, MinistryStanding};
use time::{Duration, OffsetDateTime};
use tokio::time::timeout;
use tonic::{Code, Status};

const PLACE: &str = "Ministry";
/// Records that wait for longer are nobody's hurry, but somebody's fault.
const LATE: Duration = Duration::DAY;

/// Lets the bridge ask the Ministry.
pub async fn look(server: &Server) -> Finding {
    let Ok(channel) = server.channel() else {
        return Finding::new(Level::Skipped, PLACE, "BAD_ADDRESS", "the bridge's address is not usable");
    };
    // The bridge waits for the Ministry as long as its own deadline of a call says.
    match timeout(PATIENCE * 4, CapabilityServiceClient::new(channel).check_ministry(CheckMinistryRequest {}))
        .await
    {
        Err(_) => {
            Finding::new(Level::Warning, PLACE, "MINISTRY_SLOW", "no answer through the bridge within 20 s")
        }
        Ok(Err(status)) => unasked(&status),
        Ok(Ok(standing)) => judged(&standing.into_inner(), OffsetDateTime::now_utc()),
    }
}

fn unasked(status: &Status) -> Finding {
    let skipped = |text| Finding::new(Level::Skipped, PLACE, "MINISTRY_NOT_ASKED", text);
    match status.code() {
        Code::PermissionDenied => skipped("only the Department may ask it: sign in as its administrator"),
        Code::Unimplemented => skipped("this bridge is older than the check: its log and its metrics tell"),
        _ => Finding::new(Level::Broken, PLACE, "MINISTRY_NOT_ASKED", words(status)),
    }
}

fn judged(standing: &MinistryStanding, now: OffsetDateTime) -> Finding {
    let (level, code, text) = match standing.reach() {
        MinistryReach::Refused => (
            Level::Broken,
            "MINISTRY_CREDENTIALS",
            format!("it does not take our credentials ({}): is MINISTRY_CLIENT_SECRET the one that it gave?", standing.code),
        ),
        MinistryReach::Throttled => {
            (Level::Warning, "MINISTRY_THROTTLES", "it answers and asks to slow down; records wait".to_owned())
        }
        MinistryReach::Answers if standing.circuit_open => (
            Level::Warning,
            "MINISTRY_PAUSED",
            "it gives a token, but calls have failed in a row: the bridge pauses and tries again by itself".to_owned(),
        ),
        MinistryReach::Answers if since(standing).is_some_and(|at| now - at > LATE) => (
            Level::Warning,
            "MINISTRY_BEHIND",
            "it gives a token, and transfers that began more than a day ago are not through: see `eduhub transfer ledger`".to_owned(),
        ),
        MinistryReach::Answers => (
            Level::Well,
            "MINISTRY",
            "it takes our credentials; that it takes records only a transfer can tell".to_owned(),
        ),
        MinistryReach::Away | MinistryReach::Unspecified => (
            Level::Warning,
            "MINISTRY_AWAY",
            format!("the bridge gets no answer from it ({}): records wait and go on by themselves; is MINISTRY_URL right, and the way out open?", standing.code),
        ),
    };
    Finding::new(level, PLACE, code, format!("{text}. {} records wait for it", standing.waiting))
}

fn since(standing: &MinistryStanding) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(standing.waiting_since.as_ref()?.seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_judged_by_whose_fault_it_is() {
        let now = OffsetDateTime::now_utc();
        let days_ago = |days: i64| prost_types::Timestamp {
            seconds: (now - Duration::days(days)).unix_timestamp(),
            nanos: 0,
        };
        let said = |reach: MinistryReach, days, circuit_open| {
            let standing = MinistryStanding {
                reach: reach.into(),
                circuit_open,
                waiting: 7,
                waiting_since: Some(days_ago(days)),
                ..MinistryStanding::default()
            };
            let found = judged(&standing, now);
            assert!(found.text.ends_with("7 records wait for it"), "{}", found.text);
            (found.level, found.code)
        };
        assert_eq!(said(MinistryReach::Answers, 0, false), (Level::Well, "MINISTRY"));
        assert_eq!(said(MinistryReach::Answers, 2, false), (Level::Warning, "MINISTRY_BEHIND"));
        assert_eq!(said(MinistryReach::Answers, 0, true), (Level::Warning, "MINISTRY_PAUSED"));
        assert_eq!(said(MinistryReach::Refused, 0, false), (Level::Broken, "MINISTRY_CREDENTIALS"));
        assert_eq!(said(MinistryReach::Away, 0, false), (Level::Warning, "MINISTRY_AWAY"));
        assert_eq!(unasked(&Status::permission_denied("")).level, Level::Skipped);
        assert_eq!(unasked(&Status::unavailable("")).level, Level::Broken);
    }
}
