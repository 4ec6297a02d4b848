//! Act c: vendors push; every connection is cut once at a random batch; what was refused is mended later.
use crate::{
    figures::Stage as Row,
    people::People,
    stage::{Bar, Stage},
    truth::{Finding, finding},
    wire::{Wire, random_batch},
};
use anyhow::{Context, Result};
use eduhub_cast::{Actor, Doors};
use eduhub_cli::{
    generate::{Province, School},
    hub::{Facility, Hub, Registry},
    push::{Event, Job, JsonLines, Outcome, push_school},
};
use eduhub_proto::common::v1::{Kind, PushCounts, Severity};
use eduhub_stack::Program;
use futures::{TryStreamExt, stream};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// Schools that push at the same time.
const AT_ONCE: usize = 4;
/// Records in a batch at most.
const BATCH: usize = 250;
/// Batches that a school has at least, so that a cut falls between them.
const BATCHES: usize = 4;

/// What pushing came to.
#[derive(Default)]
pub struct Pushed {
    /// Findings of all replies.
    pub findings: BTreeSet<Finding>,
    /// Refused records: school, kind, key.
    pub refused: Vec<(String, Kind, String)>,
    /// Sums of the receipts.
    pub totals: PushCounts,
    /// Records sent.
    pub records: u64,
    /// Connections broken on purpose.
    pub cuts: u64,
}

/// How cargo is pushed.
#[derive(Clone, Copy)]
pub struct How {
    /// What.
    pub cargo: Cargo,
    /// Schools at the same time.
    pub at_once: usize,
    /// Every connection is cut once.
    pub cut: bool,
}

impl From<Cargo> for How {
    fn from(cargo: Cargo) -> Self {
        Self { cargo, at_once: AT_ONCE, cut: true }
    }
}

/// Which file of a school goes where.
#[derive(Clone, Copy)]
pub enum Cargo {
    /// Everything that registry takes.
    Registry,
    /// Rooms.
    Facility,
    /// The mended versions of refused records.
    Fixed,
}

impl Cargo {
    fn file(self, dir: &Path, school: &str) -> PathBuf {
        let name = match self {
            Cargo::Registry => "registry.jsonl",
            Cargo::Facility => "facility.jsonl",
            Cargo::Fixed => "fixed.jsonl",
        };
        dir.join(school).join(name)
    }
}

/// Pushes one cargo of these schools, each through a wire of its own that is cut once, if it is to be.
pub async fn push(
    doors: &Doors,
    people: &People,
    province: &Province,
    schools: &[&School],
    how: How,
    data: &Path,
    bar: &Bar,
) -> Result<Pushed> {
    let How { cargo, at_once, cut } = how;
    let out = Mutex::new(Pushed::default());
    let program = if matches!(cargo, Cargo::Facility) { Program::Facility } else { Program::Registry };
    let target = address(doors.url(program)?)?;
    stream::iter(schools.iter().map(Ok::<_, anyhow::Error>))
        .try_for_each_concurrent(at_once, |school| {
            let out = &out;
            async move {
                let code = &school.school_code;
                let proof = people.vendors.get(code).cloned().context("school without vendor")?;
                let vendor = Actor::sign_in(doors, proof).await?;
                let file = cargo.file(data, code);
                let job = Job::new(code, province.school_year);
                let run = Run { vendor: &vendor, target, job, file, school: code, cut, out, bar };
                let outcome = match program {
                    Program::Facility => run.send::<Facility>().await,
                    _ => run.send::<Registry>().await,
                };
                let outcome = outcome.with_context(|| format!("push of {code}"))?;
                let mut out = out.lock().map_err(|_| anyhow::anyhow!("a push panicked"))?;
                out.records += outcome.receipt.record_count;
                add(&mut out.totals, &outcome.receipt.totals.unwrap_or_default());
                Ok(())
            }
        })
        .await?;
    out.into_inner().map_err(|_| anyhow::anyhow!("a push panicked"))
}

fn address(url: &str) -> Result<SocketAddr> {
    let port = url.rsplit(':').next().context("URL without port")?.parse()?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}

struct Run<'a> {
    vendor: &'a Actor,
    target: SocketAddr,
    job: Job,
    file: PathBuf,
    school: &'a str,
    cut: bool,
    out: &'a Mutex<Pushed>,
    bar: &'a Bar,
}

impl Run<'_> {
    async fn send<H: Hub>(mut self) -> Result<Outcome> {
        let wire = Wire::to(self.target).await?;
        let server = self.vendor.through(format!("https://localhost:{}", wire.addr.port()));
        let lines = std::fs::read(&self.file).with_context(|| self.file.display().to_string())?;
        let records = lines.iter().filter(|b| **b == b'\n').count();
        drop(lines);
        self.job.batch = (records / BATCHES).clamp(1, BATCH);
        let batches = records.div_ceil(self.job.batch);
        // One batch has nothing after it that could be resumed.
        let cut_at = (self.cut && batches > 1).then(|| random_batch(batches as u32 - 1));
        let source = JsonLines::<H>::new(&self.file);
        let outcome = push_school::<H>(&server, &self.job, source, |event| {
            let Event::Batch { reply, records } = event else { return };
            self.bar.add(records as u64);
            self.note(&reply.problems);
            if Some(reply.number) == cut_at {
                wire.cut();
            }
        })
        .await?;
        let mut out = self.out.lock().map_err(|_| anyhow::anyhow!("a push panicked"))?;
        out.cuts += wire.broken();
        drop(out);
        Ok(outcome)
    }

    fn note(&self, problems: &[eduhub_proto::common::v1::Problem]) {
        let Ok(mut out) = self.out.lock() else { return };
        for p in problems {
            out.findings.insert(finding(self.school, p));
            if p.severity == Severity::Error as i32 {
                let kind = Kind::try_from(p.kind).unwrap_or_default();
                out.refused.push((self.school.to_owned(), kind, p.record_key.clone()));
            }
        }
    }
}

fn add(a: &mut PushCounts, b: &PushCounts) {
    a.created += b.created;
    a.updated += b.updated;
    a.unchanged += b.unchanged;
    a.rejected += b.rejected;
    a.held += b.held;
    a.admitted += b.admitted;
    a.withdrawn += b.withdrawn;
    a.warnings += b.warnings;
}

/// A row of the table.
pub fn row(name: &'static str, pushed: &Pushed, seconds: f64) -> Row {
    let t = &pushed.totals;
    Row {
        name,
        records: pushed.records,
        accepted: t.created + t.updated,
        rejected: t.rejected,
        held: t.held,
        unchanged: t.unchanged,
        seconds,
    }
}

/// Records in a cargo of all schools, for the bar.
pub fn count(data: &Path, schools: &[&School], cargo: Cargo) -> Result<u64> {
    let mut total = 0;
    for school in schools {
        let file = cargo.file(data, &school.school_code);
        let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
        total += bytes.iter().filter(|b| **b == b'\n').count() as u64;
    }
    Ok(total)
}

/// Makes the bar of a push.
pub fn bar(stage: &Stage, name: &str, total: u64) -> Bar {
    stage.bar(name, total, "records")
}
