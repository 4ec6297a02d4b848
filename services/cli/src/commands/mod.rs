//! The command line: one module per subcommand, each a thin layer over the library.

mod access;
mod admin;
mod codes;
mod connect;
mod dictionary;
mod generate;
mod push;
mod receipt;
mod record;
mod registry;
mod review;
mod rules;
mod submit;
mod token;
mod transfer;
mod values;
mod watch;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// EduHub: the data hub of a provincial Department of Education.
///
/// Addresses and credentials may stand in the environment: EDUHUB_IDENTITY_URL, EDUHUB_REGISTRY_URL, EDUHUB_FACILITY_URL,
/// EDUHUB_APPROVAL_URL, EDUHUB_BRIDGE_URL, EDUHUB_TLS_CA, EDUHUB_CLIENT_ID, EDUHUB_CLIENT_SECRET_FILE, EDUHUB_USER,
/// EDUHUB_PASSWORD_FILE, EDUHUB_TOKEN_FILE.
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
    /// Sign in and print an access token.
    Token(token::Args),
    /// Push a school's records as its software does.
    Push(push::Args),
    /// Proofs of finished pushes: fetch the keys, check a receipt offline.
    #[command(subcommand)]
    Receipt(receipt::Command),
    /// Follow a feed and keep an own copy of it in a file.
    Watch(watch::Args),
    /// Apply for API access, decide applications, make credentials.
    #[command(subcommand)]
    Access(access::Command),
    /// Review what schools have submitted.
    #[command(subcommand)]
    Review(review::Command),
    /// Seal a dataset of a school and submit it for review.
    Submit(submit::Args),
    /// Transfer approved data to the Ministry and see its answers.
    #[command(subcommand)]
    Transfer(transfer::Command),
    /// Write the data dictionary as an HTML page or a workbook.
    Dictionary(dictionary::Args),
    /// The hub's code lists: show, import, export; mapping tables of vendors.
    #[command(subcommand)]
    Codes(codes::Command),
    /// Records of the hub: read, list, count, search, what changed and who changed it.
    #[command(subcommand)]
    Record(record::Command),
    /// Packs of rules, and what one to come would find.
    #[command(subcommand)]
    Rules(rules::Command),
    /// Administer the hub for the Department.
    #[command(subcommand)]
    Admin(admin::Command),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// What the command failed with, to be shown to the user.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let command = match self.command {
            Command::Generate(args) => return args.run(),
            other => other,
        };
        let runtime = tokio::runtime::Runtime::new()?;
        let code = runtime.block_on(command.call())?;
        // Readers of files may still be at it; nobody waits for them.
        runtime.shutdown_background();
        Ok(code)
    }
}

impl Command {
    async fn call(self) -> anyhow::Result<ExitCode> {
        let done = match self {
            Command::Generate(args) => return args.run(),
            Command::Push(args) => return args.run().await,
            Command::Admin(command) => return command.run().await,
            Command::Token(args) => args.run().await,
            Command::Receipt(command) => command.run().await,
            Command::Watch(args) => args.run().await,
            Command::Access(command) => command.run().await,
            Command::Review(command) => command.run().await,
            Command::Submit(args) => args.run().await,
            Command::Transfer(command) => command.run().await,
            Command::Dictionary(args) => args.run().await,
            Command::Codes(command) => command.run().await,
            Command::Record(command) => command.run().await,
            Command::Rules(command) => command.run().await,
        };
        done.map(|()| ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
