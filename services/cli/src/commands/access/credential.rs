//! `eduhub access credential`.
use super::Identity;
use crate::output;
use anyhow::Context;
use eduhub_proto::identity::v1::grant_service_client::GrantServiceClient;
use eduhub_proto::identity::v1::{CreateCredentialRequest, CreateCredentialResponse};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Options of `eduhub access credential`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Grant.
    grant: String,
    /// New file for the secret, readable by you alone; without it the secret is printed.
    #[arg(long)]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    identity: Identity,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.identity.server().await?;
        let file = private_file(self.secret_file.as_deref())?;
        let request = CreateCredentialRequest { grant_id: self.grant, public_key: None };
        let made = GrantServiceClient::new(server.channel()?).create_credential(request).await?.into_inner();
        show(&made, file)
    }
}

/// Makes the secret's file before the secret is made: one that can't be written is lost.
pub fn private_file(path: Option<&Path>) -> anyhow::Result<Option<File>> {
    let open = |path: &Path| {
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        opened.with_context(|| path.display().to_string())
    };
    path.map(open).transpose()
}

/// Gives the credential to the user.
pub fn show(made: &CreateCredentialResponse, file: Option<File>) -> anyhow::Result<()> {
    output::line(format!("client id {}", made.client_id));
    match file {
        Some(mut file) => file.write_all(made.secret.as_bytes()).context("writing the secret")?,
        None => output::line(format!("secret    {} (shown this once)", made.secret)),
    }
    Ok(())
}
