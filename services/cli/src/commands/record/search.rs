//! `eduhub record search`.
use super::{Registry, print};
use crate::commands::values::kind;
use crate::output;
use eduhub_proto::common::v1::{Kind, SearchRecordsRequest};

/// Options of `eduhub record search`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Words of the name, each from its beginning, with or without accents.
    #[arg(required = true)]
    name: Vec<String>,
    /// Pupils or staff.
    #[arg(long, value_parser = kind, default_value = "pupil")]
    kind: Kind,
    /// Only this school.
    #[arg(long, default_value = "", hide_default_value = true)]
    school: String,
    /// Only schools of this commune.
    #[arg(long, default_value = "", hide_default_value = true)]
    commune: String,
    /// Only persons born on this day, YYYY-MM-DD.
    #[arg(long, default_value = "", hide_default_value = true)]
    born: String,
    /// At most so many, up to 100.
    #[arg(long, default_value_t = 20)]
    limit: i32,
    #[command(flatten)]
    registry: Registry,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let request = SearchRecordsRequest {
            kind: self.kind as i32,
            name: self.name.join(" "),
            school_code: self.school,
            commune_code: self.commune,
            birth_date: self.born,
            limit: self.limit,
        };
        let answer = self.registry.records().await?.search_records(request).await?.into_inner();
        print(&answer.records)?;
        if answer.more {
            output::note("there are more: give more of the name, --school or --born");
        }
        Ok(())
    }
}
