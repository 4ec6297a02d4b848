//! Somebody who is signed in, and the doors to the services.
use anyhow::{Context, Result};
use eduhub_auth::AuthedChannel;
use eduhub_cli::server::{Proof, Server, Session};
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_stack::{Program, Stack};
use std::collections::HashMap;

/// Addresses of the services, and whom to trust.
#[derive(Clone)]
pub struct Doors {
    urls: HashMap<Program, String>,
    tls: ClientTls,
}

impl Doors {
    /// Those of a running stack.
    pub fn of(stack: &Stack) -> Result<Self> {
        let urls = Program::SERVICES.into_iter().map(|p| (p, stack.url(p))).collect();
        Ok(Self { urls, tls: ClientTls::trusting(stack.certs().ca_pem()?) })
    }

    /// URL of a service.
    pub fn url(&self, program: Program) -> Result<&str> {
        self.urls
            .get(&program)
            .map(String::as_str)
            .with_context(|| format!("{} is no service", program.name()))
    }

    /// Whom to trust.
    pub fn tls(&self) -> &ClientTls {
        &self.tls
    }
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Actor {
    /// Their session.
    pub session: Session,
    doors: Doors,
    channels: HashMap<Program, AuthedChannel>,
}

impl Actor {
    /// Signs in; the token is renewed by itself.
    pub async fn sign_in(doors: &Doors, proof: Proof) -> Result<Self> {
        let identity = channel(doors.url(Program::Identity)?, doors.tls())?;
        let session = Session::sign_in(identity, proof).await.context("signing in")?;
        let mut channels = HashMap::new();
        for program in Program::SERVICES {
            channels.insert(program, session.channel(channel(doors.url(program)?, doors.tls())?));
        }
        Ok(Self { session, doors: doors.clone(), channels })
    }

    /// Channel to a service as this person.
    pub fn at(&self, program: Program) -> Result<AuthedChannel> {
        self.channels.get(&program).cloned().with_context(|| format!("{} is no service", program.name()))
    }

    /// A server at another address, e.g. through a wire that can be cut, as this person.
    pub fn through(&self, url: String) -> Server {
        Server::new(url, self.doors.tls().clone(), self.session.clone())
    }
}
