//! `eduhub admin accounts` and `eduhub admin disable`.
use crate::commands::connect::Connection;
use crate::commands::values::moment;
use crate::output::{self, word};
use eduhub_proto::identity::v1::principal_service_client::PrincipalServiceClient;
use eduhub_proto::identity::v1::{DisablePrincipalRequest, ListPrincipalsRequest, Principal};

/// Options of `eduhub admin accounts`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Disabled ones, too.
    #[arg(long)]
    disabled: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.connection.server(self.connection.identity()?).await?;
        let mut client = PrincipalServiceClient::new(server.channel()?);
        let (mut rows, mut page_token) = (vec![], String::new());
        loop {
            let request = ListPrincipalsRequest {
                include_disabled: self.disabled,
                page_token,
                ..ListPrincipalsRequest::default()
            };
            let page = client.list_principals(request).await?.into_inner();
            rows.extend(page.principals.iter().map(row));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        // No table: an id is copied whole.
        rows.into_iter().for_each(output::line);
        Ok(())
    }
}

fn row(p: &Principal) -> String {
    let known: Vec<&str> = [&p.login, &p.name, &p.office].into_iter().map(String::as_str).collect();
    let known: Vec<&str> = known.into_iter().filter(|text| !text.is_empty()).collect();
    let disabled = p.disabled_at.as_ref().map(|at| format!(", disabled {}", moment(Some(at))));
    format!(
        "{}  {}  {}{}",
        p.principal_id,
        word(p.role().as_str_name(), "ROLE_"),
        known.join(", "),
        disabled.unwrap_or_default()
    )
}

/// Options of `eduhub admin disable`.
#[derive(Debug, clap::Args)]
pub struct Disable {
    /// Principal, as `eduhub admin accounts` shows it.
    principal: String,
    /// Why; it is kept with the account.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    connection: Connection,
}

impl Disable {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.connection.server(self.connection.identity()?).await?;
        let request = DisablePrincipalRequest { principal_id: self.principal, reason: self.reason };
        PrincipalServiceClient::new(server.channel()?).disable_principal(request).await?;
        output::line("disabled: its tokens and open streams end within a minute");
        Ok(())
    }
}
