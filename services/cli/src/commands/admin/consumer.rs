//! `eduhub admin create-consumer`.
use crate::commands::access::credential::{private_file, show};
use crate::commands::connect::Connection;
use crate::output;
use clap::ValueEnum;
use eduhub_proto::common::v1::{DataDomain, Sensitivity};
use eduhub_proto::identity::v1::grant_service_client::GrantServiceClient;
use eduhub_proto::identity::v1::{CreateConsumerGrantRequest, CreateCredentialRequest, Scope};
use std::path::PathBuf;

/// Highest class of fields that may be seen.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Class {
    /// About institutions.
    Public,
    /// Names, birth dates, codes.
    Basic,
    /// Ethnicity, health, policy groups.
    Sensitive,
    /// Personal ID numbers.
    Secret,
}

impl From<Class> for Sensitivity {
    fn from(class: Class) -> Self {
        match class {
            Class::Public => Self::Public,
            Class::Basic => Self::Basic,
            Class::Sensitive => Self::Sensitive,
            Class::Secret => Self::Secret,
        }
    }
}

/// Options of `eduhub admin create-consumer`. Without communes and schools it reads the whole province.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the consumer.
    #[arg(long)]
    name: String,
    /// Number of the agreement.
    #[arg(long)]
    contract: String,
    /// Its clause on secrecy.
    #[arg(long)]
    secrecy_clause: String,
    /// Data domains, e.g. school,pupil; all by default.
    #[arg(long, value_delimiter = ',', value_parser = domain)]
    domains: Vec<DataDomain>,
    /// Highest class of fields that may be seen.
    #[arg(long, value_enum)]
    class: Class,
    /// Only schools of these communes.
    #[arg(long, value_delimiter = ',')]
    communes: Vec<String>,
    /// Only these schools.
    #[arg(long, value_delimiter = ',')]
    schools: Vec<String>,
    /// First day, YYYY-MM-DD.
    #[arg(long)]
    from: String,
    /// Last day, YYYY-MM-DD.
    #[arg(long)]
    until: String,
    /// New file for the secret, readable by you alone; without it the secret is printed.
    #[arg(long)]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.connection.server(self.connection.identity()?).await?;
        let file = private_file(self.secret_file.as_deref())?;
        let domains = if self.domains.is_empty() { all_domains().collect() } else { self.domains };
        let request = CreateConsumerGrantRequest {
            name: self.name,
            contract_number: self.contract,
            secrecy_clause: self.secrecy_clause,
            scope: Some(Scope {
                province: self.communes.is_empty() && self.schools.is_empty(),
                communes: self.communes,
                schools: self.schools,
            }),
            domains: domains.into_iter().map(|d| d as i32).collect(),
            max_class: Sensitivity::from(self.class) as i32,
            valid_from: self.from,
            valid_to: self.until,
        };
        let mut client = GrantServiceClient::new(server.channel()?);
        let grant = client.create_consumer_grant(request).await?.into_inner();
        output::line(format!("grant     {}", grant.grant_id));
        let request = CreateCredentialRequest { grant_id: grant.grant_id, public_key: None };
        show(&client.create_credential(request).await?.into_inner(), file)
    }
}

fn all_domains() -> impl Iterator<Item = DataDomain> {
    (1..).map_while(|number| DataDomain::try_from(number).ok())
}

fn domain(text: &str) -> Result<DataDomain, String> {
    let name = format!("DATA_DOMAIN_{}", text.to_uppercase());
    DataDomain::from_str_name(&name)
        .filter(|d| *d != DataDomain::Unspecified)
        .ok_or_else(|| "school, pupil, staff, result, health or facility".to_owned())
}
