//! `eduhub watch`.
use super::connect::Connection;
use super::values;
use crate::copy::{LocalCopy, Scope};
use crate::hub::{Facility, Hub, Registry};
use crate::output::{self, number};
use crate::watch::{Event, follow};
use crate::{explain, server::Server};
use anyhow::ensure;
use eduhub_proto::common::v1::Kind;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A line is written at least so often, for logs without a terminal.
const REPORT: Duration = Duration::from_secs(30);

/// Options of `eduhub watch`. Runs until it is ended, at any moment and in any way: the copy goes on where it stood.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of registry, or of facility with --facility [env: EDUHUB_REGISTRY_URL or EDUHUB_FACILITY_URL].
    #[arg(long)]
    server: Option<String>,
    /// File of the copy; it is made when it is not there.
    #[arg(long)]
    to: PathBuf,
    /// Follow facility.
    #[arg(long)]
    facility: bool,
    /// Only these kinds, e.g. school,class.
    #[arg(long, value_delimiter = ',', value_parser = values::kind)]
    kinds: Vec<Kind>,
    /// Only these schools.
    #[arg(long, value_delimiter = ',')]
    schools: Vec<String>,
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
        let mut copy = LocalCopy::open(&self.to, &scope)?;
        let found = copy.recovery();
        let torn = if found.torn > 0 {
            format!(", {} bytes of an unfinished write dropped", found.torn)
        } else {
            String::new()
        };
        output::note(format!("copy of {service}: {} records{torn}", number(copy.len())));
        if self.facility {
            self.follow::<Facility>(&server, &mut copy).await?;
        } else {
            self.follow::<Registry>(&server, &mut copy).await?;
        }
        output::line(format!(
            "{} records of {} schools",
            number(copy.len()),
            number(copy.schools().len() as u64)
        ));
        Ok(())
    }

    async fn follow<H: Hub>(&self, server: &Server, copy: &mut LocalCopy) -> anyhow::Result<()> {
        let stop = CancellationToken::new();
        let interrupted = stop.clone();
        tokio::spawn(async move {
            let _ = tokio::signal::ctrl_c().await;
            interrupted.cancel();
        });
        let mut report =
            Report { once: self.once.then(|| stop.clone()), changes: 0, told: Instant::now(), live: false };
        follow::<H>(server, copy, &stop, |event| report.hear(&event)).await?;
        if self.verify { compare::<H>(server, copy).await } else { Ok(()) }
    }
}

/// Compares the copy with the hub, school by school. The copy must hold all kinds, and nobody may push meanwhile.
async fn compare<H: Hub>(server: &Server, copy: &LocalCopy) -> anyhow::Result<()> {
    let channel = server.channel()?;
    let mut differing = vec![];
    for school in copy.schools() {
        if H::school_digest(channel.clone(), &school).await?.digest != copy.digest_of(&school).digest {
            differing.push(school);
        }
    }
    ensure!(differing.is_empty(), "the copy differs from the hub in schools {}", differing.join(", "));
    output::line("the copy equals the hub");
    Ok(())
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
