//! `eduhub dictionary`: the data dictionary for people.
use super::connect::Connection;
use crate::dictionary::{book::Book, html, lists, sheets};
use crate::output;
use anyhow::{Context, ensure};
use std::fs;
use std::path::PathBuf;

/// Options of `eduhub dictionary`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write one HTML page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a workbook.
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
    /// Take the code lists from this registry instead of those that the program carries; then credentials are needed.
    #[arg(long, value_name = "URL")]
    registry: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

impl Args {
    /// Writes the files.
    pub async fn run(self) -> anyhow::Result<()> {
        ensure!(
            self.html.is_some() || self.xlsx.is_some(),
            "nothing to write: give --html FILE or --xlsx FILE"
        );
        let lists = match &self.registry {
            None => lists::carried(),
            Some(url) => lists::of_hub(self.connection.server(url).await?.channel()?)
                .await
                .context("code lists of the registry")?,
        };
        let book = Book::new(lists);
        if let Some(file) = &self.html {
            fs::write(file, html::page(&book)).with_context(|| file.display().to_string())?;
        }
        if let Some(file) = &self.xlsx {
            fs::write(file, sheets::workbook(&book)?).with_context(|| file.display().to_string())?;
        }
        let fields: usize = book.chapters.iter().map(|c| c.rows.len()).sum();
        output::note(format!(
            "{} messages, {fields} fields, {} code lists",
            book.chapters.len(),
            book.lists.len()
        ));
        Ok(())
    }
}
