//! Consumers of the feed, without a copy: what they get is counted and dropped.
use anyhow::{Context, Result, ensure};
use eduhub_cli::server::Server;
use eduhub_proto::common::v1::WatchRequest;
use eduhub_proto::registry::v1::{
    Change, WatchReply, feed_service_client::FeedServiceClient, watch_reply::Message as Part,
};
use prost::Message;
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tonic::Streaming;

/// Largest message that is taken.
pub const LARGEST: usize = 32 << 20;
/// How long the hub keeps pages that consumers share, and a little more.
pub const SHARED_PAGES_LIVE: Duration = Duration::from_secs(65);
/// Longest wait for what was pushed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Opens a feed.
///
/// # Errors
/// The hub's.
pub async fn watch(server: &Server, cursor: Vec<u8>) -> Result<Streaming<WatchReply>> {
    let mut client = FeedServiceClient::new(server.channel()?).max_decoding_message_size(LARGEST);
    Ok(client.watch(WatchRequest { cursor, ..WatchRequest::default() }).await?.into_inner())
}

/// The cursor of now: of the first sign of life after the snapshot.
///
/// # Errors
/// The hub's.
pub async fn begin(server: &Server) -> Result<Vec<u8>> {
    let mut stream = watch(server, vec![]).await?;
    loop {
        let reply = stream.message().await?.context("the feed ended")?;
        if let Some(Part::Checkpoint(checkpoint)) = reply.message
            && checkpoint.live
        {
            return Ok(checkpoint.cursor);
        }
    }
}

/// Reads so many events from a cursor on.
///
/// # Errors
/// The hub's.
pub async fn catch_up(server: &Server, cursor: Vec<u8>, events: usize) -> Result<usize> {
    let mut stream = watch(server, cursor).await?;
    let mut seen = 0;
    while seen < events {
        let reply = stream.message().await?.context("the feed ended")?;
        seen += changes(&reply).len();
    }
    Ok(seen)
}

/// Writes all messages with changes from a cursor to now into a file, each after its length; gives the number of events.
///
/// # Errors
/// The hub's, or the file's.
pub async fn keep(server: &Server, cursor: Vec<u8>, path: &Path) -> Result<usize> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut stream = watch(server, cursor).await?;
    let mut events = 0;
    loop {
        let reply = stream.message().await?.context("the feed ended")?;
        match &reply.message {
            Some(Part::Changes(batch)) => {
                events += batch.changes.len();
                file.write_all(&reply.encode_length_delimited_to_vec())?;
            }
            Some(Part::Checkpoint(checkpoint)) if checkpoint.live => break,
            _ => {}
        }
    }
    file.flush()?;
    ensure!(events > 0, "the log is empty");
    Ok(events)
}

/// A consumer that opens a feed and takes nothing of it. Its stream is closed when the value is dropped.
///
/// # Errors
/// The hub's.
pub async fn never_read(server: &Server, cursor: Vec<u8>) -> Result<Streaming<WatchReply>> {
    watch(server, cursor).await
}

/// A consumer that reads as fast as it can and notes when records of some schools came.
pub struct Reading {
    arrived: Arc<Mutex<HashMap<String, Instant>>>,
    task: JoinHandle<Result<()>>,
}

/// Starts one.
///
/// # Errors
/// The hub's.
pub async fn keep_reading(server: &Server, cursor: Vec<u8>, schools: HashSet<String>) -> Result<Reading> {
    let mut stream = watch(server, cursor).await?;
    let arrived: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let noted = arrived.clone();
    let task = tokio::spawn(async move {
        while let Some(reply) = stream.message().await? {
            let now = Instant::now();
            let headers = changes(&reply).iter().filter_map(|c| c.header.as_ref());
            let of_schools = headers.filter(|h| schools.contains(&h.school_code));
            let keys: Vec<String> = of_schools.map(|h| h.record_key.clone()).collect();
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            noted.extend(keys.into_iter().map(|key| (key, now)));
        }
        Ok(())
    });
    Ok(Reading { arrived, task })
}

impl Reading {
    /// Waits for these keys and says when each came.
    ///
    /// # Errors
    /// When one does not come.
    pub async fn until(self, keys: &HashMap<String, Instant>) -> Result<HashMap<String, Instant>> {
        let began = Instant::now();
        loop {
            {
                let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
                if keys.keys().all(|key| arrived.contains_key(key)) {
                    self.task.abort();
                    return Ok(arrived.clone());
                }
            }
            ensure!(!self.task.is_finished(), "the consumer's stream ended");
            ensure!(began.elapsed() < PATIENCE, "probes did not arrive");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn changes(reply: &WatchReply) -> &[Change] {
    match &reply.message {
        Some(Part::Changes(batch)) => &batch.changes,
        _ => &[],
    }
}
