//! `eduhub admin`.
mod consumer;
mod officer;

use super::connect::Connection;
use crate::generate::{School, read_province};
use crate::output;
use eduhub_proto::registry::v1::school_service_client::SchoolServiceClient;
use eduhub_proto::registry::v1::{RegisterSchoolsRequest, RegisterSchoolsResponse, SchoolEntry};
use std::path::PathBuf;

/// Schools that one call may register.
const AT_ONCE: usize = 2_000;

/// Commands of the Department's administrator.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Register the schools of a province.json as `eduhub generate` writes it.
    ImportSchools(Import),
    /// Create an officer's local account; a password is made and shown once.
    CreateOfficer(officer::Args),
    /// Create a grant that reads the feeds, with a credential: for an operations centre and the like.
    CreateConsumer(consumer::Args),
}

/// Options of `eduhub admin import-schools`.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// Registry service.
    #[arg(long, env = "EDUHUB_REGISTRY_URL")]
    registry_url: String,
    /// The file.
    #[arg(long)]
    file: PathBuf,
    #[command(flatten)]
    connection: Connection,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Command::ImportSchools(import) => import.run().await,
            Command::CreateOfficer(args) => args.run().await,
            Command::CreateConsumer(args) => args.run().await,
        }
    }
}

impl Import {
    async fn run(self) -> anyhow::Result<()> {
        let province = read_province(&self.file)?;
        let server = self.connection.server(&self.registry_url).await?;
        let mut client = SchoolServiceClient::new(server.channel()?);
        let mut sum = RegisterSchoolsResponse::default();
        for part in province.schools.chunks(AT_ONCE) {
            let request = RegisterSchoolsRequest { schools: part.iter().map(SchoolEntry::from).collect() };
            let answer = client.register_schools(request).await?.into_inner();
            sum.created += answer.created;
            sum.updated += answer.updated;
            sum.unchanged += answer.unchanged;
        }
        output::line(format!(
            "schools: {} new, {} changed, {} as before",
            sum.created, sum.updated, sum.unchanged
        ));
        Ok(())
    }
}

impl From<&School> for SchoolEntry {
    fn from(school: &School) -> Self {
        Self {
            school_code: school.school_code.clone(),
            name: school.name.clone(),
            level: school.level() as i32,
            commune_code: school.commune_code.clone(),
            province_code: school.province_code.clone(),
            directly_managed: school.directly_managed,
            independent_group: school.independent_group,
        }
    }
}
