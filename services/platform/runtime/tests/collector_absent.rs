//! A collector that is not there at all: the same, and what could not be sent is counted as lost.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod echo;
mod scraping;

use std::time::Duration;

use echo::{Client, start};
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_runtime::config::ServerConfig;
use eduhub_runtime::telemetry::{TelemetryConfig, init_with};
use scraping::scraped;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_do_not_wait_for_an_absent_collector() {
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let config = TelemetryConfig {
        // Lines go to the collector as well: they must not pile up either.
        log: "info,echo=off".into(),
        otlp_endpoint: Some(format!("http://{closed}")),
        metrics_listen: Some("127.0.0.1:0".parse().unwrap()),
        ..TelemetryConfig::default()
    };
    let mut telemetry = init_with("echo", config).unwrap();
    let metrics = telemetry.listen().await.unwrap().unwrap();
    let running = start(ServerConfig::for_tests(), |s| s).await;
    let mut client = Client::new(channel(&running.url, &ClientTls::default()).unwrap());
    for _ in 0..1_200 {
        client.wait(0).await.unwrap();
    }
    let lost = async {
        loop {
            let lines = scraped(metrics).await;
            let labels = ["error_type=\"export_failed\""];
            if lines.sum("otel_sdk_exporter_span_exported_total", &labels) > 0.0 {
                break lines;
            }
            // Asks again for what another thread has yet to do.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let lines = tokio::time::timeout(Duration::from_secs(20), lost).await.expect("no loss was counted");
    let method = ["rpc_method=\"test.Echo/Wait\"", "rpc_response_status_code=\"OK\""];
    assert_eq!(lines.sum("rpc_server_call_duration_seconds_count", &method), 1_200.0);
    assert_eq!(lines.sum("eduhub_rpc_server_open", &["rpc_method=\"test.Echo/Wait\""]), 0.0);
    telemetry.shutdown().await;
}
