//! Somebody who is signed in, and the doors to the services.
use anyhow::{Context, Result};
use eduhub_auth::AuthedChannel;
use eduhub_cli::server::{Proof, Server, Session};
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_stack::{Program, Stack};
use std::collections::HashMap;

/// Addresses of the services that were started, and whom to trust.
#[derive(Clone)]
pub struct Doors {
    urls: HashMap<Program, String>,
    tls: ClientTls,
}

impl Doors {
    /// Those of a running stack.
    ///
    /// # Errors
    /// When its certificates can't be read.
    pub fn of(stack: &Stack) -> Result<Self> {
        let urls = Program::SERVICES.into_iter().map(|p| (p, stack.url(p)));
        let urls = urls.filter(|(_, url)| !url.is_empty()).collect();
        Ok(Self { urls, tls: ClientTls::trusting(stack.certs().ca_pem()?) })
    }

    /// URL of a service.
    ///
    /// # Errors
    /// When it was not started.
    pub fn url(&self, program: Program) -> Result<&str> {
        self.urls
            .get(&program)
            .map(String::as_str)
            .with_context(|| format!("{} is no service that runs", program.name()))
    }

    /// Whom to trust.
    pub fn tls(&self) -> &ClientTls {
        &self.tls
    }
}

/// Somebody who is signed in, with a channel to each service.
#[derive(Clone)]
pub struct Actor {
    /// Their session; its token is renewed by itself.
    pub session: Session,
    doors: Doors,
    reached: HashMap<Program, (Server, AuthedChannel)>,
}

impl Actor {
    /// Signs in.
    ///
    /// # Errors
    /// When identity refuses.
    pub async fn sign_in(doors: &Doors, proof: Proof) -> Result<Self> {
        let identity = channel(doors.url(Program::Identity)?, doors.tls())?;
        let session = Session::sign_in(identity, proof).await.context("signing in")?;
        let mut reached = HashMap::new();
        for (program, url) in &doors.urls {
            let server = Server::new(url, doors.tls.clone(), session.clone());
            let channel = server.channel()?;
            reached.insert(*program, (server, channel));
        }
        Ok(Self { session, doors: doors.clone(), reached })
    }

    /// Channel to a service as this person.
    ///
    /// # Panics
    /// When it was not started.
    pub fn at(&self, program: Program) -> AuthedChannel {
        self.reached(program).1.clone()
    }

    /// A service as this person calls it.
    ///
    /// # Panics
    /// When it was not started.
    pub fn server(&self, program: Program) -> &Server {
        &self.reached(program).0
    }

    fn reached(&self, program: Program) -> &(Server, AuthedChannel) {
        let reached = self.reached.get(&program);
        reached.unwrap_or_else(|| panic!("{} is no service that runs", program.name()))
    }

    /// A server at another address, e.g. through a wire that can be cut, as this person.
    pub fn through(&self, url: String) -> Server {
        Server::new(url, self.doors.tls().clone(), self.session.clone())
    }

    /// The doors that this person goes through.
    pub fn doors(&self) -> &Doors {
        &self.doors
    }
}
