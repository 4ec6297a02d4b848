//! `eduhub admin create-officer`.
use crate::commands::connect::Connection;
use crate::output;
use clap::ValueEnum;
use eduhub_proto::identity::v1 as identity;
use eduhub_proto::identity::v1::principal_service_client::PrincipalServiceClient;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    /// Acts for schools: needs --schools.
    School,
    /// Reviews for a commune: needs --office with its five digits.
    Commune,
    /// Reviews for a division: needs --office with its code, e.g. DIV_SECONDARY.
    Division,
    /// Administers the hub.
    Admin,
}

impl From<Role> for identity::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::School => Self::SchoolOfficer,
            Role::Commune => Self::CommuneReviewer,
            Role::Division => Self::DivisionReviewer,
            Role::Admin => Self::DepartmentAdmin,
        }
    }
}

/// Options of `eduhub admin create-officer`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// User name: small letters, digits and ._-
    #[arg(long)]
    login: String,
    /// Full name.
    #[arg(long)]
    name: String,
    /// Role.
    #[arg(long, value_enum)]
    role: Role,
    /// Office of a reviewer.
    #[arg(long, default_value = "")]
    office: String,
    /// Schools of a school's officer.
    #[arg(long, value_delimiter = ',')]
    schools: Vec<String>,
    #[command(flatten)]
    connection: Connection,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.connection.server(self.connection.identity()?).await?;
        let scope = (!self.schools.is_empty())
            .then(|| identity::Scope { schools: self.schools.clone(), ..identity::Scope::default() });
        let request = identity::CreateOfficerRequest {
            user_name: self.login.clone(),
            name: self.name,
            role: identity::Role::from(self.role) as i32,
            office: self.office,
            scope,
            ..identity::CreateOfficerRequest::default()
        };
        let made = PrincipalServiceClient::new(server.channel()?).create_officer(request).await?.into_inner();
        output::line(format!("user     {}", self.login));
        output::line(format!("password {} (shown this once)", made.password));
        Ok(())
    }
}
