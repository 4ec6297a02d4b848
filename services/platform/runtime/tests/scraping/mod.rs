//! Metrics as Prometheus fetches them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The page of `GET /metrics`.
pub struct Lines(pub String);

impl Lines {
    /// Sum over the series of a metric that have all these labels; `name=""` stands for a label that is not there.
    pub fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let of_metric = self.0.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{'));
        let has = |line: &str, label: &str| match label.strip_suffix("=\"\"") {
            Some(key) => !line.contains(&format!("{key}=")),
            None => line.contains(label),
        };
        let wanted = of_metric.filter(|line| labels.iter().all(|label| has(line, label)));
        wanted.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }
}

/// Fetches it.
pub async fn scraped(address: SocketAddr) -> Lines {
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = "GET /metrics HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    Lines(text)
}
