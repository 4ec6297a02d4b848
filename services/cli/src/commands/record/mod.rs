//! `eduhub record`: reads of registry's records.
mod count;
mod history;
mod read;
mod search;

use super::registry::Registry;
use crate::lines::Lines;
use crate::output;
use eduhub_proto::registry::v1::Change;

/// Commands about records.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// One record, or several, as JSON.
    Get(read::GetArgs),
    /// Records of one kind in a school, as JSON, one a line.
    List(read::ListArgs),
    /// Versions of one record with what changed and who changed it.
    History(history::Args),
    /// Counts by class, grade, sex, ethnicity, status, school.
    Count(count::Args),
    /// Pupils or staff by name, with or without accents.
    Search(search::Args),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Command::Get(args) => args.run().await,
            Command::List(args) => args.run().await,
            Command::History(args) => args.run().await,
            Command::Count(args) => args.run().await,
            Command::Search(args) => args.run().await,
        }
    }
}

/// Prints records as JSON, one a line.
fn print(records: &[Change]) -> anyhow::Result<()> {
    let lines = Lines::<Change>::new("eduhub.registry.v1.Change")?;
    for record in records {
        let mut line = Vec::new();
        lines.write(&mut line, record)?;
        output::line(String::from_utf8_lossy(&line).trim_end());
    }
    Ok(())
}
