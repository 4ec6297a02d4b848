//! The command line: one module per subcommand, each a thin layer over the library.

mod generate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// EduHub: the data hub of a provincial Department of Education.
#[derive(Debug, Parser)]
#[command(name = "eduhub", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a synthetic province with known defects.
    Generate(generate::Args),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command failed with, to be shown to the user.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Generate(args) => args.run(),
        }
    }
}
