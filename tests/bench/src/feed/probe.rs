//! Single records pushed while others load, and how long each takes to a consumer.
use anyhow::{Context, Result, ensure};
use eduhub_cli::server::Server;
use eduhub_proto::common::v1::{PushMode, PushOpen, push_reply};
use eduhub_proto::registry::v1::{
    Pupil, PushBatch, PushRequest, Record, ingest_service_client::IngestServiceClient, record,
};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;

/// Pause between two probes.
const PAUSE: Duration = Duration::from_millis(15);

/// Probes under way.
pub struct Probing {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<HashMap<String, Instant>>>,
}

/// Starts to push one record after the other, each in a batch of its own, for a school.
///
/// # Errors
/// The hub's.
pub async fn start(server: &Server, school: &str, school_year: i32) -> Result<Probing> {
    let (requests, outgoing) = mpsc::channel(2);
    let open = PushOpen {
        session_id: uuid::Uuid::now_v7().to_string(),
        school_code: school.to_owned(),
        school_year,
        mode: PushMode::Patch as i32,
        ..PushOpen::default()
    };
    requests.send(PushRequest::from(&open)).await?;
    let mut client = IngestServiceClient::new(server.channel()?);
    let mut replies = client.push(ReceiverStream::new(outgoing)).await?.into_inner();
    replies.message().await?.context("no welcome")?;
    let (stop, mut stopped) = oneshot::channel();
    let school = school.to_owned();
    let task = tokio::spawn(async move {
        let mut replied = HashMap::new();
        for number in 1.. {
            let pupil = probe(&school, number);
            let key = pupil.student_code.clone();
            let records = vec![Record { record: Some(record::Record::Pupil(pupil)) }];
            requests.send(PushRequest::from(&PushBatch { number, records, withdrawals: vec![] })).await?;
            let reply = replies.message().await?.context("the push ended")?;
            let now = Instant::now();
            let Some(push_reply::Message::Batch(reply)) = reply.message else { anyhow::bail!("no reply") };
            ensure!(reply.counts.unwrap_or_default().created == 1, "{:?}", reply.problems);
            replied.insert(key, now);
            tokio::select! {
                _ = &mut stopped => break,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        Ok(replied)
    });
    Ok(Probing { stop, task })
}

impl Probing {
    /// Ends them; gives when each was acknowledged.
    ///
    /// # Errors
    /// When a probe failed.
    pub async fn stop(self) -> Result<HashMap<String, Instant>> {
        let _ = self.stop.send(());
        self.task.await?
    }
}

/// Its code is unlike any other school's.
fn probe(school: &str, n: u32) -> Pupil {
    Pupil {
        student_code: format!("{school}P{n:06}"),
        full_name: "Nguyễn Thị Hương".into(),
        birth_date: "2015-03-04".into(),
        sex: "2".into(),
        ..Pupil::default()
    }
}

/// Ways of probes to a consumer, seconds, in rising order. The hub's reply leaves right after the commit, so its arrival
/// stands for the commit; an event that came before the reply took no time.
#[derive(Default)]
pub struct Latencies(Vec<f64>);

impl Latencies {
    /// Of these probes.
    ///
    /// # Errors
    /// When there are too few for a percentile.
    pub fn of(replied: &HashMap<String, Instant>, arrived: &HashMap<String, Instant>) -> Result<Self> {
        let mut all: Vec<f64> = replied
            .iter()
            .filter_map(|(key, at)| Some(arrived.get(key)?.saturating_duration_since(*at).as_secs_f64()))
            .collect();
        ensure!(!all.is_empty(), "no probe");
        all.sort_by(f64::total_cmp);
        Ok(Self(all))
    }

    /// With those of another lap.
    pub fn add(&mut self, lap: Self) {
        self.0.extend(lap.0);
        self.0.sort_by(f64::total_cmp);
    }

    /// The value below which this share lies.
    pub fn at(&self, share: f64) -> f64 {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.clamp(1, self.0.len()) - 1).copied().unwrap_or_default()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let all = Latencies((1..=200).map(f64::from).collect());
        assert!((all.at(0.99) - 198.0).abs() < 1e-9);
        assert!((all.at(0.5) - 100.0).abs() < 1e-9);
        assert!((Latencies(vec![7.0]).at(0.99) - 7.0).abs() < 1e-9);
    }
}
