//! The `eduhub` command.

use std::process::ExitCode;

use clap::Parser;
use eduhub_cli::commands::Cli;
use eduhub_cli::output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            output::error(&error);
            ExitCode::FAILURE
        }
    }
}
