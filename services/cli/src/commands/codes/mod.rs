//! `eduhub codes`: the code lists of the hub and the mapping tables of vendors.
mod export;
mod file;
mod get;
mod import;
mod list;
mod map;

use super::registry::Registry;
use eduhub_proto::registry::v1::RowMistake;

/// Commands about code lists.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The lists with their newest versions, or all versions of one list.
    List(list::Args),
    /// One list as it is, or was at a version or is valid on a day.
    Get(get::Args),
    /// Import a list from a .tsv, .csv or .xlsx file.
    Import(import::Args),
    /// Write one list, or all, to a .tsv, .csv or .xlsx file.
    Export(export::Args),
    /// Show a vendor's mapping tables, or set one from a file.
    Map(map::Args),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Command::List(args) => args.run().await,
            Command::Get(args) => args.run().await,
            Command::Import(args) => args.run().await,
            Command::Export(args) => args.run().await,
            Command::Map(args) => args.run().await,
        }
    }
}

/// A mistake about a row of a file, one line.
fn told(mistake: &RowMistake, rows: &[usize]) -> String {
    let RowMistake { field, value, message_vi, message_en, .. } = mistake;
    let place = rows.get(mistake.row as usize).map_or_else(|| "the file".to_owned(), |n| format!("row {n}"));
    format!("{place}, {field} «{value}»: {message_vi} / {message_en}")
}
