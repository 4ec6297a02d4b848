//! `eduhub access`: applications for API access, grants, credentials.
mod apply;
pub(super) mod credential;
mod decide;
mod list;
mod revoke;

use super::connect::Connection;
use crate::server::Server;

/// Commands about access.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Apply by form 1 (Mẫu số 1), as the school.
    Apply(apply::Args),
    /// Approve or refuse an application, as the Student Affairs Division.
    Decide(decide::Args),
    /// Make a credential of a grant; its secret is shown once.
    Credential(credential::Args),
    /// Applications, or grants with --grants.
    List(list::Args),
    /// End a grant, or one credential of it: everywhere within a minute.
    Revoke(revoke::Args),
}

/// Identity as the server to call.
#[derive(Debug, clap::Args)]
pub struct Identity {
    #[command(flatten)]
    connection: Connection,
}

impl Identity {
    async fn server(&self) -> anyhow::Result<Server> {
        self.connection.server(self.connection.identity()?).await
    }
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Command::Apply(args) => args.run().await,
            Command::Decide(args) => args.run().await,
            Command::Credential(args) => args.run().await,
            Command::List(args) => args.run().await,
            Command::Revoke(args) => args.run().await,
        }
    }
}
