//! `eduhub review queue`.
use super::{Approval, Client};
use crate::commands::values::moment;
use crate::output::{self, word};
use eduhub_proto::approval::v1::{ListSubmissionsRequest, Submission};

/// Options of `eduhub review queue`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Every submission that you may see, not only what waits for your office.
    #[arg(long)]
    all: bool,
    /// Only this school.
    #[arg(long, default_value = "")]
    school: String,
    #[command(flatten)]
    approval: Approval,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.approval.server().await?;
        let mut client = Client::new(server.channel()?);
        let (mut rows, mut page_token) = (vec![], String::new());
        loop {
            let request = ListSubmissionsRequest {
                school_code: self.school.clone(),
                my_queue: !self.all,
                page_token,
                ..ListSubmissionsRequest::default()
            };
            let page = client.list_submissions(request).await?.into_inner();
            rows.extend(page.submissions.iter().map(row));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        if rows.is_empty() {
            output::line("nothing waits");
        } else {
            rows.into_iter().for_each(output::line);
        }
        Ok(())
    }
}

/// Two lines: what it is and whom it waits for, then the school.
fn row(s: &Submission) -> String {
    let waits = s.steps.iter().find(|step| step.step_no == s.current_step);
    format!(
        "{}  {} {}  {}{}  {}\n    {} {}{}",
        s.submission_id,
        word(s.dataset().as_str_name(), "DATASET_"),
        s.school_year,
        word(s.state().as_str_name(), "SUBMISSION_STATE_"),
        waits.map(|step| format!(" at {}", step.office)).unwrap_or_default(),
        moment(s.submitted_at.as_ref()),
        s.school_code,
        s.school_name,
        if s.independent_group { " (nhóm độc lập)" } else { "" },
    )
}
