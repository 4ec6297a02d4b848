//! Options that every client command has: whom to trust and as whom to call.
use crate::server::{Proof, Server, Session, channel};
use anyhow::{Context, bail};
use eduhub_runtime::client::{ClientTls, GrpcChannel};
use secrecy::SecretString;
use std::fs;
use std::path::{Path, PathBuf};
use tonic::Status;

/// Trust and credentials. A token file, or a client with its secret, or an officer with a password.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Authorities that sign the servers' certificates, PEM.
    #[arg(long, env = "EDUHUB_TLS_CA")]
    ca: Option<PathBuf>,
    /// Name to look for in the servers' certificates where their addresses have another: a forwarded port, a cluster IP.
    #[arg(long, env = "EDUHUB_TLS_NAME")]
    tls_name: Option<String>,
    /// Identity service, which gives tokens.
    #[arg(long, env = "EDUHUB_IDENTITY_URL")]
    identity_url: Option<String>,
    /// API client.
    #[arg(long, env = "EDUHUB_CLIENT_ID", requires = "client_secret_file")]
    client_id: Option<String>,
    /// File with the client's secret.
    #[arg(long, env = "EDUHUB_CLIENT_SECRET_FILE")]
    client_secret_file: Option<PathBuf>,
    /// Officer's user name.
    #[arg(long, env = "EDUHUB_USER", requires = "password_file")]
    user: Option<String>,
    /// File with the officer's password.
    #[arg(long, env = "EDUHUB_PASSWORD_FILE")]
    password_file: Option<PathBuf>,
    /// File with an access token, instead of signing in; it is not renewed.
    #[arg(long, env = "EDUHUB_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

impl Connection {
    /// Whom to trust.
    pub fn tls(&self) -> anyhow::Result<ClientTls> {
        let tls = match &self.ca {
            None => ClientTls::default(),
            Some(path) => ClientTls::trusting(fs::read(path).with_context(|| path.display().to_string())?),
        };
        Ok(ClientTls { domain: self.tls_name.clone(), ..tls })
    }

    fn proof(&self) -> anyhow::Result<Proof> {
        match (&self.token_file, &self.client_id, &self.client_secret_file, &self.user, &self.password_file) {
            (Some(token), ..) => Ok(Proof::Token(secret(token)?)),
            (_, Some(id), Some(file), ..) => Ok(Proof::client(id, secret(file)?)),
            (.., Some(user), Some(file)) => Ok(Proof::officer(user, secret(file)?)),
            _ => bail!(
                "no credentials: give --client-id and --client-secret-file, or --user and --password-file, or --token-file"
            ),
        }
    }

    /// Identity's address.
    pub fn identity(&self) -> anyhow::Result<&str> {
        self.identity_url
            .as_deref()
            .context("no identity service: give --identity-url or EDUHUB_IDENTITY_URL")
    }

    /// Signs in.
    pub async fn session(&self) -> anyhow::Result<Session> {
        let proof = self.proof()?;
        let url = match &proof {
            // A token needs no identity service; the channel is never used.
            Proof::Token(_) => self.identity_url.as_deref().unwrap_or("http://127.0.0.1:1"),
            _ => self.identity()?,
        };
        let identity = channel(url, &self.tls()?)?;
        Session::sign_in(identity, proof).await.context("signing in")
    }

    /// Signs in, for those who can do something without it: `None` without credentials, else how it went.
    pub async fn try_session(&self) -> Option<Result<Session, Status>> {
        let given = self.token_file.is_some() || self.client_id.is_some() || self.user.is_some();
        let outcome = async {
            let session = self.session().await;
            session.map_err(|error| match error.downcast::<Status>() {
                Ok(status) => status,
                Err(error) => Status::failed_precondition(format!("{error:#}")),
            })
        };
        if given { Some(outcome.await) } else { None }
    }

    /// Registry or facility at the given address or the environment's, signed in.
    pub async fn hub(&self, url: Option<&str>, facility: bool) -> anyhow::Result<Server> {
        self.server(&hub_url(url, facility)?).await
    }

    /// The same without signing in, for what anybody may ask.
    pub fn anonymous(&self, url: Option<&str>, facility: bool) -> anyhow::Result<GrpcChannel> {
        Ok(channel(&hub_url(url, facility)?, &self.tls()?)?)
    }

    /// A server to call, signed in.
    pub async fn server(&self, url: &str) -> anyhow::Result<Server> {
        Ok(Server::new(url, self.tls()?, self.session().await?))
    }
}

fn hub_url(url: Option<&str>, facility: bool) -> anyhow::Result<String> {
    let name = if facility { "EDUHUB_FACILITY_URL" } else { "EDUHUB_REGISTRY_URL" };
    let url = url.map(str::to_owned).or_else(|| std::env::var(name).ok());
    url.with_context(|| format!("no server: give --server or {name}"))
}

fn secret(path: &Path) -> anyhow::Result<SecretString> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(SecretString::from(text.trim().to_owned()))
}
