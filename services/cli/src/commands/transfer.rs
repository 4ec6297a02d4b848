//! `eduhub transfer`: from the hub to the Ministry.
mod export;
mod ledger;

use super::connect::Connection;
use super::values::moment;
use crate::output::{self, number, word};
use eduhub_auth::AuthedChannel;
use eduhub_proto::bridge::v1::transfer_service_client::TransferServiceClient;
use eduhub_proto::bridge::v1::{GetTransferRequest, StartTransferRequest, Transfer};
use uuid::Uuid;

/// Commands about transfers.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Start the transfer of an approved submission (kết chuyển).
    Start(Start),
    /// How a transfer stands.
    Status(Status),
    /// The Ministry's answer to each record.
    Ledger(ledger::Args),
    /// Fetch the filled workbook of data that the Ministry takes by hand only.
    Export(export::Export),
    /// State that the workbook was keyed in at the Ministry's site.
    Entered(export::Entered),
}

/// Bridge as the server to call.
#[derive(Debug, clap::Args)]
pub struct Bridge {
    /// Ministry bridge.
    #[arg(long, env = "EDUHUB_BRIDGE_URL")]
    bridge_url: String,
    #[command(flatten)]
    connection: Connection,
}

type Client = TransferServiceClient<AuthedChannel>;

impl Bridge {
    async fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(self.connection.server(&self.bridge_url).await?.channel()?))
    }
}

/// Options of `eduhub transfer start`.
#[derive(Debug, clap::Args)]
pub struct Start {
    /// Approved submission.
    submission: String,
    /// Id for safe repetition; made when it is not given.
    #[arg(long)]
    id: Option<Uuid>,
    #[command(flatten)]
    bridge: Bridge,
}

/// Options of `eduhub transfer status`.
#[derive(Debug, clap::Args)]
pub struct Status {
    /// Transfer.
    id: String,
    #[command(flatten)]
    bridge: Bridge,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Command::Start(args) => args.run().await,
            Command::Status(args) => args.run().await,
            Command::Ledger(args) => args.run().await,
            Command::Export(args) => args.run().await,
            Command::Entered(args) => args.run().await,
        }
    }
}

impl Start {
    async fn run(self) -> anyhow::Result<()> {
        let mut client = self.bridge.client().await?;
        let transfer_id = self.id.unwrap_or_else(Uuid::now_v7).to_string();
        let request = StartTransferRequest { transfer_id, submission_id: self.submission };
        told(client.start_transfer(request).await?.get_ref());
        Ok(())
    }
}

impl Status {
    async fn run(self) -> anyhow::Result<()> {
        let mut client = self.bridge.client().await?;
        told(client.get_transfer(GetTransferRequest { transfer_id: self.id }).await?.get_ref());
        Ok(())
    }
}

/// Head and counts of a transfer.
fn told(t: &Transfer) {
    output::line(format!(
        "transfer {} of {} {} {}: {}",
        t.transfer_id,
        t.school_code,
        word(t.dataset().as_str_name(), "DATASET_"),
        t.school_year,
        word(t.state().as_str_name(), "TRANSFER_STATE_"),
    ));
    let of = |state: &str, n: u64| format!("{} {}", number(n), word(state, "LEDGER_STATE_"));
    let counts: Vec<String> = t.counts.iter().map(|c| of(c.state().as_str_name(), c.records)).collect();
    output::line(format!(
        "started {}{}: {}",
        moment(t.started_at.as_ref()),
        t.finished_at.as_ref().map(|at| format!(", finished {}", moment(Some(at)))).unwrap_or_default(),
        counts.join(", ")
    ));
    if !t.problem.is_empty() {
        output::line(format!("problem: {}", t.problem));
    }
}
