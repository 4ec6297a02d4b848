//! `eduhub access list`.
use super::Identity;
use crate::commands::values::moment;
use crate::output::{self, word};
use crate::server::Server;
use eduhub_proto::identity::v1::application_service_client::ApplicationServiceClient;
use eduhub_proto::identity::v1::grant_service_client::GrantServiceClient;
use eduhub_proto::identity::v1::{Application, Grant, ListApplicationsRequest, ListGrantsRequest};

/// Options of `eduhub access list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Grants instead of applications.
    #[arg(long)]
    grants: bool,
    /// Only this school.
    #[arg(long, default_value = "")]
    school: String,
    /// Grants that have ended, too.
    #[arg(long, requires = "grants")]
    ended: bool,
    #[command(flatten)]
    identity: Identity,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.identity.server().await?;
        if self.grants { self.list_grants(&server).await } else { self.list_applications(&server).await }
    }

    async fn list_applications(&self, server: &Server) -> anyhow::Result<()> {
        let mut client = ApplicationServiceClient::new(server.channel()?);
        let (mut rows, mut page_token) = (vec![], String::new());
        loop {
            let request = ListApplicationsRequest {
                school_code: self.school.clone(),
                page_token,
                ..ListApplicationsRequest::default()
            };
            let page = client.list_applications(request).await?.into_inner();
            rows.extend(page.applications.iter().map(application));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        tell(rows);
        Ok(())
    }

    async fn list_grants(&self, server: &Server) -> anyhow::Result<()> {
        let mut client = GrantServiceClient::new(server.channel()?);
        let (mut rows, mut page_token) = (vec![], String::new());
        loop {
            let request = ListGrantsRequest {
                school_code: self.school.clone(),
                include_ended: self.ended,
                page_token,
                ..ListGrantsRequest::default()
            };
            let page = client.list_grants(request).await?.into_inner();
            rows.extend(page.grants.iter().map(grant));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        tell(rows);
        Ok(())
    }
}

fn tell(rows: Vec<String>) {
    if rows.is_empty() {
        output::line("none");
    }
    rows.into_iter().for_each(output::line);
}

fn application(a: &Application) -> String {
    let form = a.form.clone().unwrap_or_default();
    let grant = if a.grant_id.is_empty() { String::new() } else { format!("\n    grant {}", a.grant_id) };
    format!(
        "{}  {}  {}\n    {} {} by {}{grant}",
        a.application_id,
        word(a.state().as_str_name(), "APPLICATION_STATE_"),
        moment(a.submitted_at.as_ref()),
        form.school_code,
        form.school_name,
        form.software_code,
    )
}

fn grant(g: &Grant) -> String {
    let scope = g.scope.clone().unwrap_or_default();
    let places: Vec<String> = scope
        .province
        .then(|| "province".to_owned())
        .into_iter()
        .chain(scope.communes)
        .chain(scope.schools)
        .collect();
    let ended = g.ended_at.as_ref().map(|at| format!("\n    ended {} {}", moment(Some(at)), g.end_reason));
    let domains: Vec<String> = g.domains().map(|d| word(d.as_str_name(), "DATA_DOMAIN_")).collect();
    format!(
        "{}  {} to {}\n    {} for {}\n    {} up to class {}, principal {}{}",
        g.grant_id,
        g.valid_from,
        g.valid_to,
        g.name,
        places.join(", "),
        domains.join(", "),
        word(g.max_class().as_str_name(), "SENSITIVITY_"),
        g.principal_id,
        ended.unwrap_or_default()
    )
}
