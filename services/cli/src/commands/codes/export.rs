//! `eduhub codes export`.
use super::{Registry, file, get::Which};
use crate::output;
use eduhub_proto::registry::v1::ListCodesRequest;
use std::path::PathBuf;

/// Options of `eduhub codes export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the list, e.g. DM_DAN_TOC; without it all lists as they are, which is no file to import again.
    list: Option<String>,
    /// The file: .tsv, .csv or .xlsx.
    #[arg(long)]
    to: PathBuf,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    registry: Registry,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let codes = match &self.list {
            Some(list) => self.which.of(&self.registry, list).await?.codes,
            None => {
                self.registry.codes().await?.list_codes(ListCodesRequest::default()).await?.into_inner().codes
            }
        };
        file::write(&self.to, &codes)?;
        output::note(format!("{}: {} codes", self.to.display(), codes.len()));
        Ok(())
    }
}
