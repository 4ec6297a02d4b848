//! `eduhub codes import`.
use super::{Registry, file, told};
use crate::output;
use anyhow::bail;
use eduhub_proto::registry::v1::{CodeListImportMode, CodeListVersion, ImportCodeListRequest};
use std::path::PathBuf;

/// Options of `eduhub codes import`. The file has the columns code and name (Mã, Tên), and valid_from and valid_to (Hiệu lực
/// từ, Hiệu lực đến) where an entry has a first or last day, as YYYY-MM-DD.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the list, e.g. DM_DAN_TOC.
    list: String,
    /// The file: .tsv, .csv or .xlsx.
    file: PathBuf,
    /// The file has some entries of the list; without this it is the whole list, and what it leaves out ends.
    #[arg(long)]
    partial: bool,
    /// Where it comes from, e.g. the number of the decision.
    #[arg(long, default_value = "")]
    note: String,
    /// Check and tell, change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    registry: Registry,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (codes, rows) = file::codes(&self.file)?;
        let mode = if self.partial { CodeListImportMode::Partial } else { CodeListImportMode::Whole };
        let mut client = self.registry.codes().await?;
        let request = ImportCodeListRequest {
            list: self.list,
            codes,
            mode: mode as i32,
            note: self.note,
            validate_only: true,
            expected_version: 0,
        };
        let tried = client.import_code_list(request.clone()).await?.into_inner();
        if !tried.mistakes.is_empty() {
            tried.mistakes.iter().for_each(|m| output::line(told(m, &rows)));
            bail!("{}: {} mistakes, nothing was changed", self.file.display(), tried.mistakes.len());
        }
        if self.dry_run {
            output::line(format!("would be {}", changes(&tried.version.unwrap_or_default())));
            return Ok(());
        }
        let done = client
            .import_code_list(ImportCodeListRequest { validate_only: false, ..request })
            .await?
            .into_inner();
        let version = done.version.unwrap_or_default();
        match done.changed {
            true => output::line(format!("version {}: {}", version.version, changes(&version))),
            false => output::line(format!("as before: version {}", version.version)),
        }
        Ok(())
    }
}

fn changes(v: &CodeListVersion) -> String {
    format!("{} new, {} changed ({} of them end), {} in all", v.added, v.changed, v.ended, v.codes)
}
