//! `eduhub transfer export` and `entered`.
use super::{Bridge, told};
use crate::output::{self, number};
use anyhow::{Context, bail, ensure};
use eduhub_proto::bridge::v1::{ConfirmEnteredRequest, ExportHead, GetExportRequest, export_part::Part};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::PathBuf;

/// Options of `eduhub transfer export`.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// Transfer.
    id: String,
    /// Directory for the workbook, which brings its own name.
    #[arg(long, default_value = ".")]
    to: PathBuf,
    #[command(flatten)]
    bridge: Bridge,
}

/// Options of `eduhub transfer entered`.
#[derive(Debug, clap::Args)]
pub struct Entered {
    /// Transfer.
    id: String,
    /// The workbook that was keyed in.
    #[arg(long)]
    file: PathBuf,
    #[command(flatten)]
    bridge: Bridge,
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut client = self.bridge.client().await?;
        let mut parts = client.get_export(GetExportRequest { transfer_id: self.id }).await?.into_inner();
        let mut head: Option<ExportHead> = None;
        let mut data = Vec::new();
        while let Some(part) = parts.message().await? {
            match part.part {
                Some(Part::Head(first)) => head = Some(first),
                Some(Part::Data(bytes)) => data.extend(bytes),
                None => {}
            }
        }
        let head = head.context("the export came without its head")?;
        ensure!(
            Sha256::digest(&data).to_vec() == head.sha256,
            "the workbook did not arrive whole: try again"
        );
        // The name is the server's: only its last part counts.
        let Some(name) = PathBuf::from(&head.file_name).file_name().map(|n| self.to.join(n)) else {
            bail!("the export has no file name");
        };
        fs::write(&name, &data).with_context(|| name.display().to_string())?;
        output::line(format!("{} ({} records)", name.display(), number(head.records)));
        Ok(())
    }
}

impl Entered {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let data = fs::read(&self.file).with_context(|| self.file.display().to_string())?;
        let mut client = self.bridge.client().await?;
        let request = ConfirmEnteredRequest { transfer_id: self.id, sha256: Sha256::digest(&data).to_vec() };
        told(client.confirm_entered(request).await?.get_ref());
        Ok(())
    }
}
