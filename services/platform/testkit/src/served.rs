//! Doubles of other services in the test's own process.
use eduhub_runtime::client::{self, ClientTls, GrpcChannel};
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::{
    service::Routes,
    transport::{Server, server::TcpIncoming},
};

/// Routes served on a free loopback port without TLS, until this is dropped.
#[derive(Debug)]
pub struct Served {
    url: String,
    serving: JoinHandle<()>,
}

impl Served {
    /// Binds and serves.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(routes: Routes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port"));
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let serving = Server::builder().add_routes(routes).serve_with_incoming(incoming);
        Self { url, serving: tokio::spawn(async move { serving.await.expect("serves until it is stopped") }) }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A channel to them, with a connection of its own.
    ///
    /// # Panics
    /// Never in practice: the URL is good.
    pub fn channel(&self) -> GrpcChannel {
        client::channel(&self.url, &ClientTls::default()).expect("a channel")
    }

    /// Goes away: open calls break off, and new ones find nobody.
    pub fn stop(&self) {
        self.serving.abort();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}
