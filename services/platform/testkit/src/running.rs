//! A service in the test's own process.
use eduhub_runtime::{
    client::{self, ClientTls, GrpcChannel},
    server::{Drain, Server},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A server on a free loopback port without TLS; stops when dropped.
#[derive(Debug)]
pub struct Running {
    port: u16,
    stop: CancellationToken,
    serving: JoinHandle<Drain>,
}

impl Running {
    /// Binds and serves. Give the server `ServerConfig::for_tests()`.
    ///
    /// # Panics
    /// When it can't be bound.
    pub async fn start(server: Server) -> Self {
        let bound = server.bind().await.expect("a free port");
        let port = bound.local_addr().port();
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let serving =
            tokio::spawn(async move { bound.serve(stopped).await.expect("serves until it is stopped") });
        Self { port, stop, serving }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A channel to it, with a connection of its own.
    ///
    /// # Panics
    /// Never in practice: the URL is good.
    pub fn channel(&self) -> GrpcChannel {
        client::channel(&self.url(), &ClientTls::default()).expect("a channel")
    }

    /// Stops it and says whether every open call got its answer.
    ///
    /// # Panics
    /// When the server failed.
    pub async fn stop(mut self) -> Drain {
        self.stop.cancel();
        (&mut self.serving).await.expect("the server's task")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
