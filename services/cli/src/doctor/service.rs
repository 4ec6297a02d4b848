//! A service's own word on its health, and its clock.
use super::{Finding, Level, PATIENCE};
use crate::explain;
use eduhub_auth::LEEWAY;
use eduhub_proto::identity::v1::GetKeysRequest;
use eduhub_proto::identity::v1::token_service_client::TokenServiceClient;
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_runtime::probe::{Probe, ProbeError, healthcheck};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::time::timeout;
use tonic::metadata::MetadataMap;

/// Clocks that differ by more are worth a word: tokens and cursors carry times.
const DRIFT: i64 = 3;

/// Live, ready, clock.
pub async fn health(name: &'static str, url: &str, tls: &ClientTls) -> Vec<Finding> {
    if let Err(error) = healthcheck(url, tls, Probe::Live).await {
        let text = format!("the process takes connections and does not answer: {error}");
        return vec![Finding::new(Level::Broken, name, "NOT_LIVE", text)];
    }
    let ready = match healthcheck(url, tls, Probe::Ready).await {
        // It refuses a schema that is not made for it before it listens.
        Ok(()) => Finding::new(
            Level::Well,
            name,
            "READY",
            "live and ready; its database answers and its schema fits",
        ),
        Err(ProbeError::Not(_)) => Finding::new(
            Level::Broken,
            name,
            "NOT_READY",
            "it runs and is not ready: its database does not answer, or it is stopping; see its log",
        ),
        Err(error) => Finding::new(Level::Broken, name, "NOT_READY", error.to_string()),
    };
    vec![ready, clock(name, url, tls).await]
}

/// Every answer over HTTP carries a date, a refusal as well: any call will do.
async fn clock(name: &'static str, url: &str, tls: &ClientTls) -> Finding {
    // No sign-in: what a service lets anybody ask, and a refusal, are answers as well.
    let Ok(channel) = channel(url, tls) else {
        return Finding::new(Level::Skipped, name, "CLOCK_UNKNOWN", "the address is not usable");
    };
    let sent = OffsetDateTime::now_utc();
    let asked = timeout(PATIENCE, TokenServiceClient::new(channel).get_keys(GetKeysRequest {})).await;
    let took = OffsetDateTime::now_utc() - sent;
    let metadata: MetadataMap = match asked {
        Ok(Ok(answer)) => answer.metadata().clone(),
        Ok(Err(status)) => status.metadata().clone(),
        Err(_) => return Finding::new(Level::Warning, name, "SLOW", "a call took more than 5 s"),
    };
    let date = metadata.get("date").and_then(|d| OffsetDateTime::parse(d.to_str().ok()?, &Rfc2822).ok());
    let Some(date) = date else {
        return Finding::new(Level::Skipped, name, "CLOCK_UNKNOWN", "its answers carry no date");
    };
    let middle: OffsetDateTime = sent + took / 2_i32;
    judged(name, (date - middle).whole_seconds())
}

/// The server's clock against this machine's, in seconds; the date is cut to whole ones.
fn judged(name: &'static str, ahead: i64) -> Finding {
    let leeway = i64::try_from(LEEWAY.as_secs()).unwrap_or(i64::MAX);
    let (level, code) = match ahead.abs() {
        apart if apart > leeway => (Level::Broken, "CLOCK_WRONG"),
        apart if apart > DRIFT => (Level::Warning, "CLOCK_DRIFTS"),
        _ => (Level::Well, "CLOCK"),
    };
    let advice = if level == Level::Well { "" } else { ": set both by NTP, or fresh tokens are refused" };
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    Finding::new(level, name, code, format!("its clock is {} s {side} this machine's{advice}", ahead.abs()))
}

/// A refusal in one line, for texts of findings.
pub fn words(status: &tonic::Status) -> String {
    explain::short(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_judged_by_what_tokens_bear() {
        assert_eq!(judged("identity", -1).level, Level::Well);
        assert_eq!(judged("identity", 10).level, Level::Warning);
        let wrong = judged("identity", -600);
        assert_eq!(wrong.level, Level::Broken);
        assert!(wrong.text.contains("600 s behind"), "{}", wrong.text);
    }
}
