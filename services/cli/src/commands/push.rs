//! `eduhub push`.
use super::connect::Connection;
use super::values;
use crate::hub::{Facility, Hub, Registry};
use crate::output::{self, Bar, number, word};
use crate::push::{
    Event, FindingGroup, Job, JsonLines, Outcome, SyncOptions, Synced, push_school, sync_school,
};
use crate::{explain, server::Server};
use anyhow::Context;
use clap::ValueEnum;
use eduhub_proto::common::v1::{CodeMappingUse, Kind, PushCounts, PushMode, Reason, Severity};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::ExitCode;
use uuid::Uuid;

/// The push is complete, but some records were refused or wait for others.
const INCOMPLETE: u8 = 3;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// These records are new or changed; others stay.
    Patch,
    /// These records are all there is of --kinds; the rest is withdrawn at the end.
    Full,
    /// Check everything, write nothing.
    Validate,
}

/// Options of `eduhub push`. Ends with 0 when every record was taken, with 3 when some were refused or wait.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of registry, or of facility with --facility [env: EDUHUB_REGISTRY_URL or EDUHUB_FACILITY_URL].
    #[arg(long)]
    server: Option<String>,
    /// School.
    #[arg(long)]
    school: String,
    /// School year by its first year.
    #[arg(long)]
    year: i32,
    /// Records, one JSON object a line.
    #[arg(long)]
    file: PathBuf,
    /// The records are rooms, the server is facility.
    #[arg(long)]
    facility: bool,
    /// Meaning for absent records.
    #[arg(long, value_enum, default_value_t = Mode::Patch)]
    mode: Mode,
    /// With --mode full: the kinds that the file covers, e.g. pupil,class. With --sync: kinds that are compared even if the
    /// file has no record of them.
    #[arg(long, value_delimiter = ',', value_parser = values::kind)]
    kinds: Vec<Kind>,
    /// Compare digests first and send only what the hub lacks or holds differently; what the hub holds of the file's kinds
    /// and the file does not have is withdrawn.
    #[arg(long, conflicts_with = "session")]
    sync: bool,
    /// With --sync: withdraw even if more than half of what the hub holds of a kind would go.
    #[arg(long, requires = "sync")]
    allow_shrink: bool,
    /// Have the records' values translated by this vendor's mapping tables at this version, as VENDOR@VERSION (`eduhub codes
    /// map` tells it).
    #[arg(long, value_parser = mapping, conflicts_with = "sync")]
    code_mapping: Option<CodeMappingUse>,
    /// Resume this session.
    #[arg(long)]
    session: Option<Uuid>,
    /// Records in a batch.
    #[arg(long, default_value_t = 500)]
    batch: usize,
    /// Batches on the way without a reply.
    #[arg(long, default_value_t = 4)]
    window: usize,
    /// Write the signed receipt here; `eduhub receipt verify` checks it without a connection.
    #[arg(long)]
    receipt: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        anyhow::ensure!(
            !(self.sync && matches!(self.mode, Mode::Full)),
            "--sync withdraws what is absent by itself: leave --mode full out"
        );
        let server = self.connection.hub(self.server.as_deref(), self.facility).await?;
        let job = Job {
            mode: match self.mode {
                Mode::Patch => PushMode::Patch,
                Mode::Full => PushMode::Full,
                Mode::Validate => PushMode::ValidateOnly,
            },
            full_kinds: if self.sync { vec![] } else { self.kinds.clone() },
            code_mapping: self.code_mapping.clone(),
            session_id: self.session.unwrap_or_else(Uuid::now_v7),
            batch: self.batch,
            window: self.window,
            ..Job::new(&self.school, self.year)
        };
        if self.sync {
            let synced = if self.facility {
                self.sync::<Facility>(&server, &job).await?
            } else {
                self.sync::<Registry>(&server, &job).await?
            };
            tell_synced(&job, &synced);
            if let Some(outcome) = &synced.push {
                self.keep_receipt(outcome)?;
            }
            return Ok(synced.push.map_or(ExitCode::SUCCESS, |outcome| report(&job, &outcome)));
        }
        output::note(format!("session {}", job.session_id));
        let outcome = if self.facility {
            self.push::<Facility>(&server, &job).await?
        } else {
            self.push::<Registry>(&server, &job).await?
        };
        self.keep_receipt(&outcome)?;
        Ok(report(&job, &outcome))
    }

    fn keep_receipt(&self, outcome: &Outcome) -> anyhow::Result<()> {
        let Some(path) = &self.receipt else { return Ok(()) };
        if outcome.receipt.signed.is_empty() {
            output::note("no receipt was given: nothing was delivered");
            return Ok(());
        }
        std::fs::write(path, format!("{}\n", outcome.receipt.signed))
            .with_context(|| path.display().to_string())
    }

    async fn sync<H: Hub>(&self, server: &Server, job: &Job) -> anyhow::Result<Synced> {
        let sync = SyncOptions { kinds: self.kinds.clone(), allow_shrink: self.allow_shrink };
        let lost = |event: Event<'_>| {
            if let Event::Lost { status, pause } = event {
                let why = status.map(explain::short).unwrap_or_default();
                output::note(format!("reconnecting in {:.1} s: {why}", pause.as_secs_f64()));
            }
        };
        Ok(sync_school::<H>(server, job, &sync, JsonLines::<H>::new(&self.file), lost).await?)
    }

    async fn push<H: Hub>(&self, server: &Server, job: &Job) -> anyhow::Result<Outcome> {
        let file = File::open(&self.file).with_context(|| self.file.display().to_string())?;
        let total = BufReader::new(file).split(b'\n').count() as u64;
        let bar = Bar::new(H::NAME, total, "records");
        let mut done = 0;
        let listener = |event: Event<'_>| match event {
            Event::Connected { last_batch } => {
                done = done.max(u64::from(last_batch) * job.batch as u64);
                bar.set(done);
            }
            Event::Batch { reply, records } => {
                done = done.max((u64::from(reply.number) - 1) * job.batch as u64 + records as u64);
                bar.set(done);
                bar.say("");
            }
            Event::Lost { status, pause } => {
                let why = status.map(explain::short).unwrap_or_default();
                bar.say(format!("reconnecting in {:.1} s: {why}", pause.as_secs_f64()));
            }
        };
        let outcome = push_school::<H>(server, job, JsonLines::<H>::new(&self.file), listener).await;
        bar.finish();
        Ok(outcome?)
    }
}

fn tell_synced(job: &Job, synced: &Synced) {
    let told = |compared, sent, withdrawn| {
        format!("{} compared, {} sent, {} withdrawn", number(compared), number(sent), number(withdrawn))
    };
    for k in synced.kinds.iter().filter(|k| k.sent + k.withdrawn + k.left > 0) {
        let kind = word(k.kind.as_str_name(), "KIND_");
        let left =
            if k.left > 0 { format!("; {} are left, run it again", number(k.left)) } else { String::new() };
        output::line(format!("{kind}: {}{left}", told(k.compared, k.sent, k.withdrawn)));
    }
    let all = told(synced.sum(|k| k.compared), synced.sum(|k| k.sent), synced.sum(|k| k.withdrawn));
    output::line(format!("school {}: {all}", job.school_code));
}

fn report(job: &Job, outcome: &Outcome) -> ExitCode {
    let receipt = &outcome.receipt;
    let totals = receipt.totals.unwrap_or(outcome.findings.counts);
    output::line(format!("school {}: {}", job.school_code, counts(&totals)));
    for group in outcome.findings.groups() {
        tell(&group);
    }
    let causes = outcome.root_causes();
    for cause in causes.iter().take(10) {
        let kind = word(cause.kind().as_str_name(), "KIND_");
        let why = reason(cause.reason());
        output::line(format!(
            "{} records wait for {kind} {} ({why})",
            number(cause.blocked),
            cause.record_key
        ));
    }
    if causes.len() > 10 {
        output::line(format!("... and {} more causes", number(causes.len() as u64 - 10)));
    }
    output::line(format!(
        "receipt: {} records in {} batches, sha256 {}, {} ({:.0} records/s, {} connections)",
        number(receipt.record_count),
        receipt.batches,
        &hex::encode(&receipt.digest)[..receipt.digest.len().min(8) * 2],
        values::moment(receipt.completed_at.as_ref()),
        outcome.rate(),
        outcome.connections,
    ));
    if totals.rejected > 0 || totals.held > totals.admitted {
        ExitCode::from(INCOMPLETE)
    } else {
        ExitCode::SUCCESS
    }
}

fn tell(group: &FindingGroup) {
    let word_for = if group.severity == Severity::Error { "refused" } else { "warning" };
    let kind = word(group.kind.as_str_name(), "KIND_");
    let more = if group.count > group.examples.len() as u64 { ", ..." } else { "" };
    output::line(format!(
        "{:>7} {word_for}  {kind} {}: {} ({}{more})\n                 {}\n                 {}",
        number(group.count),
        group.field,
        reason(group.reason),
        group.examples.join(", "),
        group.message_vi,
        group.message_en,
    ));
}

fn counts(c: &PushCounts) -> String {
    let all = [
        ("created", c.created),
        ("updated", c.updated),
        ("unchanged", c.unchanged),
        ("refused", c.rejected),
        ("held", c.held),
        ("admitted", c.admitted),
        ("withdrawn", c.withdrawn),
        ("warnings", c.warnings),
        ("values translated", c.translated),
    ];
    let told: Vec<String> =
        all.iter().filter(|(_, n)| *n > 0).map(|(w, n)| format!("{} {w}", number(*n))).collect();
    if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
}

fn reason(reason: Reason) -> String {
    reason.as_str_name().trim_start_matches("REASON_").to_owned()
}

fn mapping(text: &str) -> Result<CodeMappingUse, String> {
    let parts = text.split_once('@').and_then(|(vendor, version)| Some((vendor, version.parse().ok()?)));
    let (vendor, version) = parts.ok_or("as VENDOR@VERSION, e.g. SMAS@12")?;
    Ok(CodeMappingUse { vendor_code: vendor.to_owned(), version })
}
