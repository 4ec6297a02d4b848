//! `eduhub review show`.
use super::{Approval, Client, submission};
use crate::commands::values::moment;
use crate::output::{self, number, word};
use eduhub_proto::approval::v1::{GetHistoryRequest, ReviewStep, Submission, Transition};

/// Options of `eduhub review show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Submission.
    id: String,
    #[command(flatten)]
    approval: Approval,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.approval.server().await?;
        let mut client = Client::new(server.channel()?);
        let shown = submission(&mut client, &self.id).await?;
        brief(&shown);
        output::table(
            &["step", "office", "decision", "by", "comment"],
            shown.steps.iter().map(step).collect(),
        );
        let request = GetHistoryRequest { submission_id: self.id };
        let history = client.get_history(request).await?.into_inner();
        for transition in &history.transitions {
            told(transition);
        }
        Ok(())
    }
}

/// Head and seal of a submission.
pub fn brief(s: &Submission) {
    output::line(format!(
        "{} {} {} (cycle {}): {}",
        s.school_code,
        s.school_name,
        word(s.dataset().as_str_name(), "DATASET_"),
        s.cycle,
        word(s.state().as_str_name(), "SUBMISSION_STATE_"),
    ));
    if let Some(seal) = &s.seal {
        let of = |c: &eduhub_proto::common::v1::KindCount| {
            format!("{} {}", number(c.count), word(c.kind().as_str_name(), "KIND_"))
        };
        let counts: Vec<String> = seal.counts.iter().map(of).collect();
        output::line(format!("sealed {}: {}", moment(seal.sealed_at.as_ref()), counts.join(", ")));
        output::line(format!("held back {}, open issues {}", number(seal.held), number(seal.open_issues)));
        output::line(format!("digest {}", hex::encode(&seal.digest)));
    }
}

fn step(s: &ReviewStep) -> Vec<String> {
    let by = s.decided_by.as_ref().map(|a| format!("{} {}", a.name, moment(s.decided_at.as_ref())));
    let decision = word(s.decision().as_str_name(), "DECISION_KIND_").replace("unspecified", "");
    vec![s.step_no.to_string(), s.office.clone(), decision, by.unwrap_or_default(), s.comment.clone()]
}

fn told(t: &Transition) {
    let who = t.actor.as_ref().map(|a| format!("{} ({})", a.name, a.office)).unwrap_or_default();
    let event = word(t.event().as_str_name(), "SUBMISSION_EVENT_");
    output::line(format!("{} {event} {who}: {}", moment(t.at.as_ref()), t.why));
    for reason in &t.record_reasons {
        let kind = word(reason.kind().as_str_name(), "KIND_");
        output::line(format!("    {kind} {}: {}", reason.record_key, reason.text));
    }
}
