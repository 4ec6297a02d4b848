//! `eduhub access revoke`.
use super::Identity;
use crate::output;
use eduhub_proto::identity::v1::grant_service_client::GrantServiceClient;
use eduhub_proto::identity::v1::{RevokeCredentialRequest, RevokeGrantRequest};

/// Options of `eduhub access revoke`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Grant to end: its tokens and open streams end within 60 s.
    #[arg(required_unless_present = "credential", requires = "reason")]
    grant: Option<String>,
    /// Instead, one credential by its client id: no new tokens; those made with it live on for at most 15 minutes.
    #[arg(long, conflicts_with = "grant")]
    credential: Option<String>,
    /// Why the grant ends; it is kept with it.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    identity: Identity,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut client = GrantServiceClient::new(self.identity.server().await?.channel()?);
        if let Some(client_id) = self.credential {
            client.revoke_credential(RevokeCredentialRequest { client_id }).await?;
            output::line("the credential gives no tokens any more");
        }
        if let Some(grant_id) = self.grant {
            let request = RevokeGrantRequest { grant_id, reason: self.reason.unwrap_or_default() };
            let ended = client.revoke_grant(request).await?.into_inner();
            output::line(format!("ended: {}, principal {}", ended.name, ended.principal_id));
        }
        Ok(())
    }
}
