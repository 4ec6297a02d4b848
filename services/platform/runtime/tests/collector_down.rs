//! A collector that accepts and never answers costs no request anything, and the shutdown ends.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod echo;

use std::time::{Duration, Instant};

use echo::{Client, start};
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_runtime::config::ServerConfig;
use eduhub_runtime::telemetry::{TelemetryConfig, init_with};

#[tokio::test]
async fn requests_do_not_wait_for_a_hung_collector() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            held.push(socket);
        }
    });
    let config = TelemetryConfig { log: "off".into(), otlp_endpoint: Some(url), trace_ratio: 1.0 };
    let telemetry = init_with("echo", config).unwrap();
    let running = start(ServerConfig::for_tests(), |s| s).await;
    let mut client = Client::new(channel(&running.url, &ClientTls::default()).unwrap());
    let began = Instant::now();
    // More than the queue of 2,048 spans holds.
    for _ in 0..3_000 {
        client.wait(0).await.unwrap();
    }
    let each = began.elapsed() / 3_000;
    assert!(each < Duration::from_millis(10), "{each:?} for each call");
    let began = Instant::now();
    telemetry.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(8), "the shutdown took {:?}", began.elapsed());
}
