//! `eduhub access decide`.
use super::Identity;
use crate::output;
use eduhub_proto::identity::v1::application_service_client::ApplicationServiceClient;
use eduhub_proto::identity::v1::{DecideApplicationRequest, Decision};

/// Options of `eduhub access decide`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Application.
    application: String,
    /// Grant access.
    #[arg(long, conflicts_with = "refuse", required_unless_present = "refuse")]
    approve: bool,
    /// Refuse it.
    #[arg(long, requires = "reason")]
    refuse: bool,
    /// Why; required for a refusal.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    identity: Identity,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.identity.server().await?;
        let decision = if self.approve { Decision::Approve } else { Decision::Refuse };
        let request = DecideApplicationRequest {
            application_id: self.application,
            decision: decision as i32,
            reason: self.reason.unwrap_or_default(),
        };
        let answer =
            ApplicationServiceClient::new(server.channel()?).decide_application(request).await?.into_inner();
        if self.approve {
            output::line(format!("approved: grant {}", answer.grant_id));
        } else {
            output::line("refused");
        }
        Ok(())
    }
}
