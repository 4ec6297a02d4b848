//! Registry as the server that a command calls.
use super::connect::Connection;
use eduhub_auth::AuthedChannel;
use eduhub_proto::registry::v1::{
    code_list_service_client::CodeListServiceClient, record_service_client::RecordServiceClient,
    rule_service_client::RuleServiceClient, school_service_client::SchoolServiceClient,
};

/// Largest answer about code lists: all lists of the nation.
const LARGEST: usize = 16 << 20;

/// Where registry is, and as whom to call it. Each call of a method signs in.
#[derive(Debug, clap::Args)]
pub struct Registry {
    /// Registry service.
    #[arg(long, env = "EDUHUB_REGISTRY_URL")]
    registry_url: String,
    #[command(flatten)]
    connection: Connection,
}

impl Registry {
    /// A channel to it.
    pub async fn channel(&self) -> anyhow::Result<AuthedChannel> {
        Ok(self.connection.server(&self.registry_url).await?.channel()?)
    }

    /// Its records.
    pub async fn records(&self) -> anyhow::Result<RecordServiceClient<AuthedChannel>> {
        Ok(RecordServiceClient::new(self.channel().await?))
    }

    /// Its code lists.
    pub async fn codes(&self) -> anyhow::Result<CodeListServiceClient<AuthedChannel>> {
        let client = CodeListServiceClient::new(self.channel().await?);
        Ok(client.max_decoding_message_size(LARGEST))
    }

    /// Its packs of rules.
    pub async fn rules(&self) -> anyhow::Result<RuleServiceClient<AuthedChannel>> {
        Ok(RuleServiceClient::new(self.channel().await?))
    }

    /// Its schools and administrative units.
    pub async fn schools(&self) -> anyhow::Result<SchoolServiceClient<AuthedChannel>> {
        Ok(SchoolServiceClient::new(self.channel().await?))
    }
}
