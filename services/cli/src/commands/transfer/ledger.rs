//! `eduhub transfer ledger`.
use super::Bridge;
use crate::output::{self, word};
use eduhub_proto::bridge::v1::{LedgerEntry, LedgerState, ListLedgerRequest};
use eduhub_proto::common::v1::Kind;

/// Options of `eduhub transfer ledger`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this school.
    #[arg(long, default_value = "", required_unless_present = "transfer")]
    school: String,
    /// Only this transfer.
    #[arg(long, default_value = "")]
    transfer: String,
    /// Only this state, e.g. rejected.
    #[arg(long, value_parser = state)]
    state: Option<LedgerState>,
    /// At most so many records.
    #[arg(long, default_value_t = 200)]
    limit: usize,
    #[command(flatten)]
    bridge: Bridge,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut client = self.bridge.client().await?;
        let mut request = ListLedgerRequest {
            school_code: self.school,
            transfer_id: self.transfer,
            state: self.state.unwrap_or_default() as i32,
            ..ListLedgerRequest::default()
        };
        let mut rows: Vec<Vec<String>> = vec![];
        while rows.len() < self.limit {
            let page = client.list_ledger(request.clone()).await?.into_inner();
            rows.extend(page.entries.iter().map(row));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        rows.truncate(self.limit);
        output::table(&["record", "state", "code", "answer", "tries"], rows);
        Ok(())
    }
}

fn row(e: &LedgerEntry) -> Vec<String> {
    let kind = |k: Kind| word(k.as_str_name(), "KIND_");
    let answer = if e.blocked_by_key.is_empty() {
        e.message.clone()
    } else {
        format!("waits for {} {}", kind(e.blocked_by_kind()), e.blocked_by_key)
    };
    vec![
        format!("{} {}", kind(e.kind()), e.record_key),
        word(e.state().as_str_name(), "LEDGER_STATE_"),
        e.code.clone(),
        answer,
        e.attempts.to_string(),
    ]
}

fn state(text: &str) -> Result<LedgerState, String> {
    let name = format!("LEDGER_STATE_{}", text.to_uppercase());
    LedgerState::from_str_name(&name).ok_or_else(|| {
        "waiting, queued, sent, accepted, rejected, stale, dead, blocked, exported or entered".to_owned()
    })
}
