//! `eduhub review`: what waits, what it holds, what is decided.
mod decide;
mod diff;
mod queue;
pub(super) mod show;

use super::connect::Connection;
use crate::server::Server;
use eduhub_auth::AuthedChannel;
use eduhub_proto::approval::v1::submission_service_client::SubmissionServiceClient;
use eduhub_proto::approval::v1::{GetSubmissionRequest, Submission};

/// Commands of reviewers.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Submissions that wait for your office, or all with --all.
    Queue(queue::Args),
    /// One submission: seal, counts, steps, history.
    Show(show::Args),
    /// What the seal changes against the last approved one, or against the live data.
    Diff(diff::Args),
    /// Approve the current step.
    Approve(decide::Approve),
    /// Return it to the school with reasons.
    Return(decide::Return),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Command::Queue(args) => args.run().await,
            Command::Show(args) => args.run().await,
            Command::Diff(args) => args.run().await,
            Command::Approve(args) => args.run().await,
            Command::Return(args) => args.run().await,
        }
    }
}

/// Approval as the server to call.
#[derive(Debug, clap::Args)]
pub struct Approval {
    /// Approval service.
    #[arg(long, env = "EDUHUB_APPROVAL_URL")]
    approval_url: String,
    #[command(flatten)]
    connection: Connection,
}

impl Approval {
    async fn server(&self) -> anyhow::Result<Server> {
        self.connection.server(&self.approval_url).await
    }
}

type Client = SubmissionServiceClient<AuthedChannel>;

async fn submission(client: &mut Client, id: &str) -> anyhow::Result<Submission> {
    let request = GetSubmissionRequest { submission_id: id.to_owned() };
    Ok(client.get_submission(request).await?.into_inner())
}
