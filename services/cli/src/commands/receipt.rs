//! `eduhub receipt`: proofs of finished pushes.
use super::connect::Connection;
use crate::hub::{Facility, Pushed, Registry};
use crate::output;
use anyhow::Context;
use eduhub_receipts::{Delivery, verify};
use std::fs;
use std::path::PathBuf;

/// What to do with receipts.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Print the keys that receipts verify with, as a JWK set: keep them beside the receipts.
    Keys(KeysArgs),
    /// Check a receipt without any connection, and print what it proves. Ends with 1 when it proves nothing.
    Verify(VerifyArgs),
}

/// Options of `eduhub receipt keys`.
#[derive(Debug, clap::Args)]
pub struct KeysArgs {
    /// Address of registry, or of facility with --facility [env: EDUHUB_REGISTRY_URL or EDUHUB_FACILITY_URL].
    #[arg(long)]
    server: Option<String>,
    /// The keys of facility.
    #[arg(long)]
    facility: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Options of `eduhub receipt verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The receipt, as `eduhub push --receipt` wrote it.
    file: PathBuf,
    /// JWK set, as `eduhub receipt keys` prints it.
    #[arg(long)]
    keys: PathBuf,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Command::Keys(args) => args.run().await,
            Command::Verify(args) => args.run(),
        }
    }
}

impl KeysArgs {
    async fn run(self) -> anyhow::Result<()> {
        let channel = self.connection.anonymous(self.server.as_deref(), self.facility)?;
        let keys = if self.facility {
            Facility::receipt_keys(channel).await?
        } else {
            Registry::receipt_keys(channel).await?
        };
        output::line(keys);
        Ok(())
    }
}

impl VerifyArgs {
    fn run(self) -> anyhow::Result<()> {
        let read = |path: &PathBuf| fs::read_to_string(path).with_context(|| path.display().to_string());
        let (receipt, keys) = (read(&self.file)?, read(&self.keys)?);
        let delivery = verify(&receipt, &keys).with_context(|| self.file.display().to_string())?;
        tell(&delivery);
        Ok(())
    }
}

fn tell(d: &Delivery) {
    let at = time::OffsetDateTime::from_unix_timestamp(d.iat).ok();
    let at =
        at.and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok()).unwrap_or_default();
    let c = d.counts;
    output::line(format!(
        "good: {} received for school {}, school year {}",
        d.iss, d.school_code, d.school_year
    ));
    output::line(format!(
        "  session  {} ({}{})",
        d.sub,
        d.mode,
        d.full_kinds.iter().map(|k| format!(" {k}")).collect::<String>()
    ));
    if let Some(grant) = &d.grant_id {
        output::line(format!("  grant    {grant}"));
    }
    output::line(format!("  complete {at}"));
    output::line(format!("  records  {} in {} batches, digest {}", d.record_count, d.batches, d.digest));
    output::line(format!(
        "  outcome  {} created, {} updated, {} unchanged, {} refused, {} held, {} admitted, {} withdrawn",
        c.created, c.updated, c.unchanged, c.rejected, c.held, c.admitted, c.withdrawn
    ));
}
