//! A collector that accepts and never answers costs no request anything: no call waits for an export, the queue stays bounded, what
//! does not fit is dropped and counted, and the shutdown ends.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod echo;
mod scraping;

use std::time::{Duration, Instant};

use echo::{Client, start};
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_runtime::config::ServerConfig;
use eduhub_runtime::telemetry::{TelemetryConfig, init_with};
use scraping::scraped;

/// Spans that wait at most, and those of an export that is on its way.
const QUEUE: f64 = 2_048.0 + 512.0;

#[tokio::test]
async fn requests_do_not_wait_for_a_hung_collector() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (connected, mut connections) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            connected.send(socket).unwrap();
        }
    });
    let config = TelemetryConfig {
        log: "off".into(),
        otlp_endpoint: Some(url),
        metrics_listen: Some("127.0.0.1:0".parse().unwrap()),
        ..TelemetryConfig::default()
    };
    let mut telemetry = init_with("echo", config).unwrap();
    let metrics = telemetry.listen().await.unwrap().unwrap();
    let running = start(ServerConfig::for_tests(), |s| s).await;
    let mut client = Client::new(channel(&running.url, &ClientTls::default()).unwrap());
    // Enough for an export to begin; from here on one hangs.
    for _ in 0..600 {
        client.wait(0).await.unwrap();
    }
    let held = tokio::time::timeout(Duration::from_secs(10), connections.recv()).await;
    assert!(held.unwrap().is_some(), "nothing was exported");
    for _ in 0..4_000 {
        client.wait(0).await.unwrap();
    }

    let lines = scraped(metrics).await;
    let calls = lines.sum("rpc_server_call_duration_seconds_count", &["rpc_method=\"test.Echo/Wait\""]);
    assert_eq!(calls, 4_600.0, "every call was answered and counted");
    assert_eq!(lines.sum("otel_sdk_exporter_span_exported_total", &["error_type=\"\""]), 0.0);
    let dropped = lines.sum("otel_sdk_processor_span_processed_total", &["error_type=\"queue_full\""]);
    let failed = lines.sum("otel_sdk_exporter_span_exported_total", &["error_type=\"export_failed\""]);
    // More calls than places: the rest was dropped at a full queue or lost by an export that was given up, and is counted.
    let waiting = calls - dropped - failed;
    assert!(waiting <= QUEUE, "{waiting} spans wait\n{}", lines.0);
    let began = Instant::now();
    telemetry.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(8), "the shutdown took {:?}", began.elapsed());
}
