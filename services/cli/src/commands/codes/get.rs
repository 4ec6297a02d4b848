//! `eduhub codes get`.
use super::Registry;
use crate::output;
use eduhub_proto::registry::v1::{CodeList, GetCodeListRequest};

/// Which list, as of when.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// As it was at this version.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    version: i64,
    /// Only the entries that are valid on this day, YYYY-MM-DD.
    #[arg(long, default_value = "")]
    on: String,
}

impl Which {
    pub(super) async fn of(&self, registry: &Registry, list: &str) -> anyhow::Result<CodeList> {
        let request =
            GetCodeListRequest { list: list.to_owned(), version: self.version, on: self.on.clone() };
        Ok(registry.codes().await?.get_code_list(request).await?.into_inner())
    }
}

/// Options of `eduhub codes get`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the list, e.g. DM_DAN_TOC.
    list: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    registry: Registry,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let list = self.which.of(&self.registry, &self.list).await?;
        let version = list.version.unwrap_or_default();
        output::note(format!(
            "{} version {}, sha256 {}",
            version.list,
            version.version,
            hex::encode(&version.digest)
        ));
        let row = |c: &eduhub_proto::registry::v1::Code| {
            vec![
                c.code.clone(),
                c.name.clone(),
                c.valid_from.clone(),
                c.valid_to.clone(),
                c.successors.join(" "),
            ]
        };
        output::table(&["code", "name", "from", "to", "now"], list.codes.iter().map(row).collect());
        Ok(())
    }
}
