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
        let ends = issued.expires_at;
        output::note(format!(
            "valid until {} {:02}:{:02}:{:02}Z",
            ends.date(),
            ends.hour(),
            ends.minute(),
            ends.second()
        ));
        output::line(issued.token.expose_secret());
        Ok(())
    }
}
