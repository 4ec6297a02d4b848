//! What goes on while the release changes: pushes that take their time, a copy that follows, officers who ask.
use eduhub_auth::AuthedChannel;
use eduhub_cli::copy::{LocalCopy, Scope};
use eduhub_cli::hub::{Hub, Registry};
use eduhub_cli::lines::{LineError, Lines};
use eduhub_cli::push::{Job, Outcome, Records, Source, push_school};
use eduhub_cli::server::Server;
use eduhub_cli::watch::{Event, follow};
use eduhub_proto::common::v1::{
    Checkpoint, CreateSubscriptionRequest, DeleteSubscriptionRequest, SchoolDigestRequest,
};
use eduhub_proto::registry::v1::{
    GetSchoolRequest, Record, feed_service_client::FeedServiceClient,
    school_service_client::SchoolServiceClient, seal_service_client::SealServiceClient,
};
use eduhub_testkit::until;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// For what is done in a second or two where nothing else is at work.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Between two records of a push: a school of 50 then takes about as long as the upgrade.
const PACE: Duration = Duration::from_millis(40);

/// A school's records, one after the other without haste; what was given once comes at once when a connection starts again.
struct Unhurried {
    file: PathBuf,
    given: Arc<AtomicUsize>,
}

impl Source<Record> for Unhurried {
    fn open(&self) -> Result<Records<Record>, LineError> {
        let lines = Lines::<Record>::new(Registry::RECORD)?;
        let file = std::io::BufReader::new(std::fs::File::open(&self.file)?);
        let given = self.given.clone();
        Ok(Box::new(lines.read(file).enumerate().map(move |(n, record)| {
            if given.fetch_max(n, Ordering::Relaxed) < n {
                std::thread::sleep(PACE);
            }
            record
        })))
    }
}

/// Pushes a school in small batches.
pub async fn push(server: Server, file: PathBuf, school_code: String, year: i32) -> Outcome {
    let job = Job { batch: 8, ..Job::new(school_code, year) };
    let source = Unhurried { file, given: Arc::default() };
    push_school::<Registry>(&server, &job, source, |_| ()).await.unwrap()
}

/// Follows into a copy; gives it with the number of times that the connection was lost. `complete` is the moment of the server's
/// clock, in milliseconds, up to which the copy has everything.
pub async fn watch(
    server: Server,
    file: PathBuf,
    complete: Arc<AtomicI64>,
    stop: CancellationToken,
) -> (LocalCopy, u32) {
    let mut copy = LocalCopy::open(file, &Scope::all("registry")).unwrap();
    let mut lost = 0;
    let watching = follow::<Registry>(&server, &mut copy, &stop, |event| match event {
        Event::Lost { .. } => lost += 1,
        Event::Checkpoint(Checkpoint { live: true, server_time: Some(at), .. }) => {
            complete.store(at.seconds * 1_000 + i64::from(at.nanos / 1_000_000), Ordering::Relaxed);
        }
        Event::Restarted(reason) => panic!("the feed forgot the cursor: {reason:?}"),
        _ => {}
    });
    watching.await.unwrap();
    (copy, lost)
}

/// Waits until the copy has all that has happened so far.
pub async fn caught_up(complete: &AtomicI64) {
    let now = OffsetDateTime::now_utc().unix_timestamp() * 1_000;
    until(PATIENCE, || async { complete.load(Ordering::Relaxed) > now + 999 }).await;
}

/// How single calls went.
#[derive(Default)]
pub struct Calls {
    pub answered: AtomicUsize,
    pub stop: AtomicBool,
}

impl Calls {
    /// Reads as an officer and writes as a consumer, one call after the other on one connection each, until told to stop.
    /// Whatever fails after the service config's attempts is given back.
    pub async fn run(
        &self,
        officer: AuthedChannel,
        consumer: AuthedChannel,
        school_code: &str,
    ) -> Vec<Status> {
        let mut failed = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            let (read, written) = tokio::join!(
                read(officer.clone(), school_code),
                write(consumer.clone(), self.answered.load(Ordering::Relaxed))
            );
            failed.extend(read.err());
            failed.extend(written.err());
            self.answered.fetch_add(4, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        failed
    }
}

async fn read(channel: AuthedChannel, school_code: &str) -> Result<(), Status> {
    let school_code = school_code.to_owned();
    let request = GetSchoolRequest { school_code: school_code.clone() };
    SchoolServiceClient::new(channel.clone()).get_school(request).await?;
    SealServiceClient::new(channel).get_school_digest(SchoolDigestRequest { school_code }).await?;
    Ok(())
}

/// A subscription made and taken away again: single writes that may be repeated.
async fn write(channel: AuthedChannel, n: usize) -> Result<(), Status> {
    let mut feed = FeedServiceClient::new(channel);
    let request = CreateSubscriptionRequest { name: format!("upgrade-{}", n % 7), ..Default::default() };
    let made = feed.create_subscription(request).await?.into_inner();
    feed.delete_subscription(DeleteSubscriptionRequest { name: made.name, ..Default::default() }).await?;
    Ok(())
}
