//! A connection that has grown old takes no new calls, and nobody's call or stream is lost by it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod echo;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use echo::{Client, start};
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_runtime::config::ServerConfig;
use tokio::net::{TcpListener, TcpStream};

const PATIENCE: Duration = Duration::from_secs(10);

/// Stands before the server as a cluster's address does; counts the connections that are made, and those that are open.
#[derive(Clone, Default)]
struct Balancer {
    made: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

impl Balancer {
    async fn before(&self, url: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (to, counts) = (url.trim_start_matches("http://").to_owned(), self.clone());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = TcpStream::connect(&to).await.unwrap();
                counts.made.fetch_add(1, Ordering::SeqCst);
                counts.open.fetch_add(1, Ordering::SeqCst);
                let counts = counts.clone();
                tokio::spawn(async move {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    counts.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        format!("http://{address}")
    }
}

#[tokio::test]
async fn calls_move_to_a_new_connection_and_a_stream_keeps_its_own() {
    let mut config = ServerConfig::for_tests();
    config.limits.connection = Duration::from_millis(200);
    let running = start(config, |s| s).await;
    let balancer = Balancer::default();
    let url = balancer.before(&running.url).await;
    let channel = channel(&url, &ClientTls::default()).unwrap();
    let mut numbers = Client::new(channel.clone()).count(100).await.unwrap();

    let mut client = Client::new(channel);
    let until = Instant::now() + PATIENCE;
    while balancer.made.load(Ordering::SeqCst) < 4 {
        client.wait(1).await.expect("a call was lost with its connection");
        assert!(Instant::now() < until, "calls stay on an old connection");
    }
    let mut seen = 0;
    while numbers.message().await.unwrap().is_some() {
        seen += 1;
    }
    assert_eq!(seen, 100, "a stream of a second was cut with its connection");
    while balancer.open.load(Ordering::SeqCst) > 1 {
        assert!(Instant::now() < until, "old connections stay open");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
