//! What Prometheus fetches from the services.
use crate::ground::{Ground, wait_for};
use anyhow::{Context, Result};
use eduhub_stack::{Program, StackConfig};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The operators' page: a contract test keeps it equal to the tables in the code.
const PAGE: &str = include_str!("../../../docs/operators/metrics.md");

/// Has every service show metrics on a port of its own, and look at its database each second.
pub fn shown(mut config: StackConfig) -> StackConfig {
    for program in Program::SERVICES {
        config = config.with_env(program, "EDUHUB_METRICS_LISTEN", "127.0.0.1:0");
        config = config.with_env(program, "EDUHUB_METRICS_SECONDS", "1");
    }
    config
}

/// One series: name, labels, value.
#[derive(Debug)]
pub struct Series {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// What all services show.
pub struct Shown {
    pub text: String,
    pub series: Vec<Series>,
}

impl Shown {
    /// Fetches it from all of them.
    pub async fn fetch(ground: &Ground) -> Result<Self> {
        let mut text = String::new();
        for address in addresses(ground)? {
            let mut socket = tokio::net::TcpStream::connect(&address).await?;
            let request = "GET /metrics HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
            socket.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await?;
            let (_, body) = answer.split_once("\r\n\r\n").context("an answer without a body")?;
            text.push_str(body);
        }
        let lines = text.lines().filter(|line| line.contains('{') && !line.starts_with('#'));
        let series =
            lines.map(|line| series(line).with_context(|| line.to_owned())).collect::<Result<_>>()?;
        Ok(Self { text, series })
    }

    /// Sum over the series of a metric that have these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let named = self.series.iter().filter(|s| s.name == name);
        let has = |s: &&Series| labels.iter().all(|(k, v)| s.labels.get(*k).is_some_and(|value| value == v));
        named.filter(has).map(|s| s.value).sum()
    }

    /// Waits until a sum is as it must be; fails with the last one.
    pub async fn wait(ground: &Ground, name: &str, labels: &[(&str, &str)], wanted: f64) {
        wait_for(&format!("{name} {labels:?} to be {wanted}"), Duration::from_secs(30), || async {
            let found = Self::fetch(ground).await?.sum(name, labels);
            Ok(((found - wanted).abs() < 0.5).then_some(()))
        })
        .await;
    }

    /// Waits until anybody shows a metric at all.
    pub async fn wait_for_any(ground: &Ground, name: &str) {
        wait_for(&format!("{name} to be shown"), Duration::from_secs(30), || async {
            Ok((Self::fetch(ground).await?.sum(name, &[]) > 0.0).then_some(()))
        })
        .await;
    }

    /// Every series is one of the table's, with its labels and no others; gives the rows that have none.
    pub fn missing(&self) -> BTreeSet<&'static str> {
        let rows = rows();
        let mut missing: BTreeSet<&'static str> = rows.keys().copied().collect();
        for series in &self.series {
            if series.name == "target_info" {
                continue;
            }
            let ends = ["_bucket", "_sum", "_count", ""];
            let row = ends.iter().find_map(|end| rows.get_key_value(series.name.strip_suffix(end)?));
            let (name, labels) = row.unwrap_or_else(|| panic!("{series:?} stands in no table"));
            missing.remove(name);
            for label in series.labels.keys().filter(|l| !["le", "service_name"].contains(&l.as_str())) {
                assert!(labels.contains(label.as_str()), "label {label} of {name} stands in no table");
            }
        }
        missing
    }
}

/// Names and labels of the page's table.
fn rows() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `"));
    let row = |line: &'static str| {
        let mut cells = line.split(" | ");
        let name = cells.next()?.trim_end_matches('`');
        let labels = cells.nth(1)?.split(", ").filter(|label| !label.is_empty());
        Some((name, labels.collect()))
    };
    let rows: BTreeMap<_, _> = rows.filter_map(row).collect();
    assert!(rows.len() > 25, "the page lists {} metrics", rows.len());
    rows
}

/// `name{key="value",...} number`; no value of ours has a quote or a comma.
fn series(line: &str) -> Option<Series> {
    let (name, rest) = line.split_once('{')?;
    let (labels, value) = rest.rsplit_once("} ")?;
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        Some((key.to_owned(), value.trim_matches('"').to_owned()))
    };
    let labels = labels.split(',').map(pair).collect::<Option<_>>()?;
    Some(Series { name: name.to_owned(), labels, value: value.parse().ok()? })
}

/// Where the services say that they show metrics.
fn addresses(ground: &Ground) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for log in std::fs::read_dir(ground.stack.logs())? {
        let text = std::fs::read_to_string(log?.path())?;
        let lines = text.lines().filter(|line| line.contains("metrics for Prometheus"));
        let line = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()).next_back();
        found.extend(line.and_then(|line| Some(line["address"].as_str()?.to_owned())));
    }
    anyhow::ensure!(found.len() == Program::SERVICES.len(), "{} services show metrics", found.len());
    Ok(found)
}
