//! `eduhub admin`.
mod accounts;
mod consumer;
mod doctor;
mod officer;
mod restored;
mod schools;
mod subscriptions;
mod units;

use std::process::ExitCode;

/// Commands of the Department's administrator.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Register schools and campuses from a list in a file.
    ImportSchools(schools::Import),
    /// Administrative units of today and before July 2025.
    #[command(subcommand)]
    Units(units::Command),
    /// Create an officer's local account; a password is made and shown once.
    CreateOfficer(officer::Args),
    /// Accounts of officers, clients and services.
    Accounts(accounts::Args),
    /// Disable an account: everywhere within a minute.
    Disable(accounts::Disable),
    /// Stored subscriptions of all consumers, and how far they are.
    Subscriptions(subscriptions::Args),
    /// Create a grant that reads the feeds, with a credential: for an operations centre and the like.
    CreateConsumer(consumer::Args),
    /// Look at a deployment from outside, end to end, and say what is wrong with it.
    Doctor(doctor::Args),
    /// After a restore from a backup: consumers are to take a new snapshot.
    Restored(restored::Args),
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let done = match self {
            Command::Doctor(args) => return args.run().await,
            Command::ImportSchools(import) => import.run().await,
            Command::Units(command) => command.run().await,
            Command::CreateOfficer(args) => args.run().await,
            Command::Accounts(args) => args.run().await,
            Command::Disable(args) => args.run().await,
            Command::Subscriptions(args) => args.run().await,
            Command::CreateConsumer(args) => args.run().await,
            Command::Restored(args) => args.run().await,
        };
        done.map(|()| ExitCode::SUCCESS)
    }
}
