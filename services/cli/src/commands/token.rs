//! `eduhub token`.
use super::connect::Connection;
use crate::output;
use secrecy::ExposeSecret;

/// Options of `eduhub token`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    connection: Connection,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let session = self.connection.session().await?;
        let issued = session.first_token();
        output::note(format!("valid until {}", issued.expires_at));
        output::line(issued.token.expose_secret());
        Ok(())
    }
}
