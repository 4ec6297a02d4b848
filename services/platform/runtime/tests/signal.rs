//! SIGTERM, in a process of its own: the whole of [`Server::run`].
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod echo;

use std::time::{Duration, Instant};

use eduhub_runtime::client::ClientTls;
use eduhub_runtime::config::ServerConfig;
use eduhub_runtime::probe::{Probe, healthcheck};
use eduhub_runtime::server::{Drain, Server};

#[tokio::test]
async fn sigterm_drains_and_returns() {
    let mut config = ServerConfig::for_tests();
    config.listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{}", config.listen);
    let run = tokio::spawn(Server::new("echo", config).run());
    let until = Instant::now() + Duration::from_secs(5);
    while healthcheck(&url, &ClientTls::default(), Probe::Ready).await.is_err() {
        assert!(Instant::now() < until, "never ready");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let pid = std::process::id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(run.await.unwrap().unwrap(), Drain::Clean);
}
