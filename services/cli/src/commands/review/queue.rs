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
            output::table(&["submission", "school", "dataset", "state", "submitted"], rows);
        }
        Ok(())
    }
}

fn row(s: &Submission) -> Vec<String> {
    let waits = s.steps.iter().find(|step| step.step_no == s.current_step).map(|step| step.office.clone());
    let state = word(s.state().as_str_name(), "SUBMISSION_STATE_");
    vec![
        s.submission_id.clone(),
        format!(
            "{} {}{}",
            s.school_code,
            s.school_name,
            if s.independent_group { " (nhóm độc lập)" } else { "" }
        ),
        format!("{} {}", word(s.dataset().as_str_name(), "DATASET_"), s.school_year),
        waits.map_or(state.clone(), |office| format!("{state}: {office}")),
        moment(s.submitted_at.as_ref()),
    ]
}
