//! `eduhub review approve` and `return`. A decision names the digest that the reviewer was shown.
use super::{Approval, Client, show::brief, submission};
use crate::commands::values;
use crate::output::word;
use anyhow::{Context, ensure};
use eduhub_proto::approval::v1::{DecideRequest, DecisionKind, RecordReason};

/// Digits of the digest that must be given: enough to tell seals apart, few enough to copy.
const LEAST_DIGITS: usize = 8;

/// Options of `eduhub review approve`.
#[derive(Debug, clap::Args)]
pub struct Approve {
    /// Submission.
    id: String,
    /// First 8 or more digits of the seal's digest, as `review show` gave it.
    #[arg(long)]
    digest: String,
    /// Comment.
    #[arg(long, default_value = "")]
    comment: String,
    #[command(flatten)]
    approval: Approval,
}

/// Options of `eduhub review return`.
#[derive(Debug, clap::Args)]
pub struct Return {
    /// Submission.
    id: String,
    /// First 8 or more digits of the seal's digest, as `review show` gave it.
    #[arg(long)]
    digest: String,
    /// Why; required unless a record is named.
    #[arg(long, default_value = "", required_unless_present = "record")]
    comment: String,
    /// What is wrong with one record, e.g. --record 'pupil:3727197227=Sai ngày sinh'; may be repeated.
    #[arg(long, value_parser = record_reason)]
    record: Vec<RecordReason>,
    #[command(flatten)]
    approval: Approval,
}

impl Approve {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let decision = DecideRequest {
            submission_id: self.id,
            decision: DecisionKind::Approve as i32,
            comment: self.comment,
            ..DecideRequest::default()
        };
        decide(&self.approval, decision, &self.digest).await
    }
}

impl Return {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let decision = DecideRequest {
            submission_id: self.id,
            decision: DecisionKind::Return as i32,
            comment: self.comment,
            record_reasons: self.record,
            ..DecideRequest::default()
        };
        decide(&self.approval, decision, &self.digest).await
    }
}

async fn decide(approval: &Approval, mut decision: DecideRequest, digits: &str) -> anyhow::Result<()> {
    let server = approval.server().await?;
    let mut client = Client::new(server.channel()?);
    let shown = submission(&mut client, &decision.submission_id).await?;
    let digest = shown.seal.as_ref().map(|s| s.digest.clone()).context("the submission has no seal")?;
    ensure!(digits.len() >= LEAST_DIGITS, "give at least {LEAST_DIGITS} digits of the digest");
    ensure!(
        hex::encode(&digest).starts_with(&digits.to_lowercase()),
        "the seal under review has another digest: look at it with `eduhub review show {}`",
        decision.submission_id
    );
    let state = word(shown.state().as_str_name(), "SUBMISSION_STATE_");
    ensure!(shown.current_step > 0, "the submission is {state}: nothing is to be decided");
    decision.digest = digest;
    decision.step_no = shown.current_step;
    brief(client.decide(decision).await?.get_ref());
    Ok(())
}

/// `kind:key=text`.
fn record_reason(text: &str) -> Result<RecordReason, String> {
    let form = || "kind:key=what is wrong".to_owned();
    let (record, what) = text.split_once('=').ok_or_else(form)?;
    let (kind, key) = record.split_once(':').ok_or_else(form)?;
    Ok(RecordReason { kind: values::kind(kind)? as i32, record_key: key.to_owned(), text: what.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::common::v1::Kind;

    #[test]
    fn reasons_per_record() {
        let reason = record_reason("class:2026/6A1=Sai tên = lớp").unwrap();
        assert_eq!((reason.kind(), reason.record_key.as_str()), (Kind::Class, "2026/6A1"));
        assert_eq!(reason.text, "Sai tên = lớp");
        assert!(record_reason("6A1=?").is_err());
    }
}
