//! `eduhub watch`.
use super::connect::Connection;
use super::values;
use crate::copy::{CopyError, LocalCopy, Place, PostgresCopy, Scope};
use crate::hub::{Facility, Hub, Registry};
use crate::output::{self, number};
use crate::subscription::Subscription;
use crate::watch::{Event, WatchError, follow};
use crate::{explain, retry::Pauses, server::Server};
use eduhub_proto::common::v1::Kind;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A line is written at least so often, for logs without a terminal.
const REPORT: Duration = Duration::from_secs(30);

/// Attempts in a row to reach the copy's database.
const ATTEMPTS: usize = 60;

/// Options of `eduhub watch`. Runs until it is ended, at any moment and in any way: the copy goes on where it stood.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of registry, or of facility with --facility [env: EDUHUB_REGISTRY_URL or EDUHUB_FACILITY_URL].
    #[arg(long)]
    server: Option<String>,
    /// Where the copy is kept, made when it is not there: `postgres://user@host/database` (password also in PGPASSWORD), or
    /// `file:PATH`; a plain path is a file.
    #[arg(long, env = "EDUHUB_COPY_TO", hide_env_values = true)]
    to: String,
    /// Schema of the tables in a Postgres database.
    #[arg(long, default_value = "eduhub_copy")]
    schema: String,
    /// Follow facility.
    #[arg(long)]
    facility: bool,
    /// Only these kinds, e.g. school,class.
    #[arg(long, value_delimiter = ',', value_parser = values::kind)]
    kinds: Vec<Kind>,
    /// Only these schools.
    #[arg(long, value_delimiter = ',')]
    schools: Vec<String>,
    /// Name of a stored subscription that is kept for this copy, made when it is not there: the hub keeps its log for it for
    /// a while beyond the retention, and the Department sees how far the copy is.
    #[arg(long)]
    subscription: Option<String>,
    /// End as soon as the copy is as recent as the feed.
    #[arg(long)]
    once: bool,
    /// Then compare each school's digest with the hub's; ends with an error when one differs.
    #[arg(long, requires = "once")]
    verify: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.connection.hub(self.server.as_deref(), self.facility).await?;
        let service = if self.facility { Facility::NAME } else { Registry::NAME };
        let kinds = self.kinds.iter().map(|k| *k as i32).collect();
        let scope = Scope { service: service.to_owned(), kinds, schools: self.schools.clone() };
        let stop = CancellationToken::new();
        let interrupted = stop.clone();
        tokio::spawn(async move {
            let _ = tokio::signal::ctrl_c().await;
            interrupted.cancel();
        });
        let run = Run {
            server: &server,
            stop: &stop,
            subscription: self.subscription.as_deref(),
            once: self.once,
            verify: self.verify,
        };
        if self.to.starts_with("postgres://") || self.to.starts_with("postgresql://") {
            return self.copy_to_tables(&run, &scope).await;
        }
        let path = PathBuf::from(self.to.strip_prefix("file:").unwrap_or(&self.to));
        let mut copy = LocalCopy::open(path, &scope)?;
        let found = copy.recovery();
        let torn = if found.torn > 0 {
            format!(", {} bytes of an unfinished write dropped", found.torn)
        } else {
            String::new()
        };
        output::note(format!("copy of {service}: {} records{torn}", number(copy.len())));
        self.keep(&run, &mut copy).await?;
        Ok(())
    }

    /// Follows into tables, and goes on when their database was away: the place is opened again where it stood.
    async fn copy_to_tables(&self, run: &Run<'_>, scope: &Scope) -> anyhow::Result<()> {
        let mut pauses = Pauses::new(ATTEMPTS);
        let mut reached = false;
        loop {
            let opened = PostgresCopy::open(&self.to, &self.schema, scope).await;
            let outcome = match opened {
                Ok(mut copy) => {
                    let (service, records) = (&scope.service, number(copy.records()));
                    output::note(format!("copy of {service}: {records} records in schema {}", self.schema));
                    pauses.reset();
                    reached = true;
                    self.keep(run, &mut copy).await
                }
                Err(error) => Err(WatchError::Copy(error)),
            };
            match outcome {
                // An address that never answered is a mistake; one that did comes back.
                Err(WatchError::Copy(CopyError::Database(why))) if reached => {
                    let Some(pause) = pauses.next(None) else {
                        return Err(WatchError::Copy(CopyError::Database(why)).into());
                    };
                    output::note(format!(
                        "the copy's database: {why}; again in {:.1} s",
                        pause.as_secs_f64()
                    ));
                    tokio::select! {
                        () = run.stop.cancelled() => return Ok(()),
                        () = tokio::time::sleep(pause) => {}
                    }
                }
                outcome => return Ok(outcome?),
            }
        }
    }

    async fn keep(&self, run: &Run<'_>, copy: &mut impl Place) -> Result<(), WatchError> {
        if self.facility { run.keep::<Facility>(copy).await } else { run.keep::<Registry>(copy).await }
    }
}

/// One run of the command.
struct Run<'a> {
    server: &'a Server,
    stop: &'a CancellationToken,
    subscription: Option<&'a str>,
    once: bool,
    verify: bool,
}

impl Run<'_> {
    async fn keep<H: Hub>(&self, copy: &mut impl Place) -> Result<(), WatchError> {
        let once = self.once.then(|| self.stop.clone());
        let mut report = Report { once, changes: 0, told: Instant::now(), live: false };
        let subscription = match self.subscription {
            Some(name) => Some(Subscription::open::<H>(self.server, name, copy.scope()).await?),
            None => None,
        };
        let hear = |event: Event<'_>| {
            if let (Event::Checkpoint(checkpoint), Some(subscription)) = (&event, &subscription) {
                subscription.kept(&checkpoint.cursor);
            }
            report.hear(&event);
        };
        follow::<H>(self.server, copy, self.stop, hear).await?;
        if let Some(subscription) = subscription {
            subscription.close().await;
        }
        let schools = copy.schools().await?;
        output::line(format!(
            "{} records of {} schools",
            number(copy.records()),
            number(schools.len() as u64)
        ));
        if self.verify { self.compare::<H>(copy, &schools).await } else { Ok(()) }
    }

    /// Compares the copy with the hub, school by school. The copy must hold all kinds, and nobody may push meanwhile.
    async fn compare<H: Hub>(&self, copy: &mut impl Place, schools: &[String]) -> Result<(), WatchError> {
        let channel = self.server.channel()?;
        let mut differing = vec![];
        for school in schools {
            let theirs = H::school_digest(channel.clone(), school).await;
            let theirs = theirs.map_err(|status| WatchError::Refused(Box::new(status)))?;
            if theirs.digest != copy.digest_of(school).await?.digest {
                differing.push(school.clone());
            }
        }
        if !differing.is_empty() {
            return Err(WatchError::Differs(differing));
        }
        output::line("the copy equals the hub");
        Ok(())
    }
}

struct Report {
    once: Option<CancellationToken>,
    changes: u64,
    told: Instant,
    live: bool,
}

impl Report {
    fn hear(&mut self, event: &Event<'_>) {
        match event {
            Event::Connected { resumed: true } => output::note("connected, going on from the copy's cursor"),
            Event::Connected { resumed: false } => output::note("connected, taking a snapshot"),
            Event::Applied { applied, records } => {
                self.changes += applied.upserted + applied.withdrawn;
                self.say(&format!("{} records, {} changes", number(*records), number(self.changes)));
            }
            Event::Checkpoint(checkpoint) => {
                if checkpoint.live && !self.live {
                    output::note(format!("live after {} changes", number(self.changes)));
                    self.live = true;
                }
                self.say(&format!("live, {} changes, lag {} ms", number(self.changes), checkpoint.lag_ms));
                if let Some(stop) = self.once.as_ref().filter(|_| checkpoint.live) {
                    stop.cancel();
                }
            }
            Event::Scope(change) => output::note(match change.reset {
                true => "what may be seen has changed: a new snapshot".to_owned(),
                false => format!(
                    "what may be seen has changed: {} schools and {} kinds more, {} schools and {} kinds less",
                    change.added_schools.len(),
                    change.added_kinds.len(),
                    change.removed_schools.len(),
                    change.removed_kinds.len()
                ),
            }),
            Event::Restarted(reason) => {
                self.live = false;
                output::note(format!(
                    "the feed no longer knows the cursor ({}): a new snapshot",
                    reason.as_str_name()
                ));
            }
            Event::Lost { status, pause } => output::note(format!(
                "connection lost, again in {:.1} s: {}",
                pause.as_secs_f64(),
                explain::short(status)
            )),
        }
    }

    /// A line that is replaced on a terminal, and one now and then in a log.
    fn say(&mut self, text: &str) {
        output::status(text);
        if self.told.elapsed() > REPORT {
            self.told = Instant::now();
            output::note(text);
        }
    }
}
