//! Figure 3: a whole province, or a slice of it, pushed by eight clients.
use crate::data::Encoded;
use crate::figure::{Figure, Part};
use crate::ground::Ground;
use crate::load;
use crate::plan::Plan;
use crate::rounds::Lap;
use anyhow::{Context, Result, ensure};
use eduhub_cli::generate::{Options, Settings, plan as decide, school};
use eduhub_cli::hub::Registry;
use eduhub_cli::push::{Event, Job, push_school};
use eduhub_stack::Program;
use futures::{StreamExt, TryStreamExt, stream};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The whole province may take so long; a slice its share.
const WHOLE: (usize, Duration) = (953_223, Duration::from_secs(600));
/// Most memory that registry may hold.
const MEMORY: u64 = 256 << 20;
/// Rate of the last fifth against the first.
const GOAL_STEADY: f64 = 0.9;
/// A day after the school year: both terms' results are there.
const TODAY: &str = "2027-08-28";
/// Clients.
const CLIENTS: usize = 8;

/// Measures the figure.
///
/// # Errors
/// When a push fails, or records are lost.
// One measurement told from top to bottom.
#[allow(clippy::too_many_lines)]
pub async fn figure(plan: &Plan) -> Result<Figure> {
    let settings = Settings { whole_year: true, ..Settings::ninh_binh() };
    let schools = if plan.smoke { 4 } else { plan.province };
    let province = decide(&Options { schools, ..Options::new(PathBuf::new()) }, &settings)?;
    let mut ground = Ground::start(plan, &province, schools, &[("EDUHUB_TODAY", TODAY)]).await?;
    let mut cargo = Vec::new();
    let (mut learners, mut records) = (0, 0);
    for each in &province.schools {
        let content = school(province.seed, province.school_year, each, &settings)?;
        learners += content.learners;
        records += content.records.len();
        cargo.push(Encoded::new(&content.records));
    }
    let (watched, started) = (ground.watched, Instant::now());
    let acks: Mutex<Vec<(Duration, usize)>> = Mutex::default();
    let lap = Lap::of(&watched, async {
        let pushes = cargo.iter().zip(&ground.vendors).map(|(cargo, (school, server))| {
            let job = Job { batch: plan.batch, ..Job::new(&school.school_code, ground.school_year) };
            let acks = &acks;
            async move {
                let heard = |event: Event<'_>| {
                    if let Event::Batch { records, .. } = event {
                        acks.lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push((started.elapsed(), records));
                    }
                };
                let outcome = push_school::<Registry>(server, &job, cargo.clone(), heard).await?;
                Ok::<_, anyhow::Error>(usize::try_from(outcome.receipt.record_count)?)
            }
        });
        let sizes: Vec<usize> = stream::iter(pushes).buffer_unordered(CLIENTS).try_collect().await?;
        Ok(sizes.into_iter().sum())
    });
    let lap = lap.await?;
    ensure!(lap.operations == records, "{} of {records} records were taken", lap.operations);
    let peak = ground.stack.peak_resident_bytes(Program::Registry).context("registry has ended")?;
    let database: i64 = sqlx::query_scalar("select pg_database_size(current_database())")
        .fetch_one(&mut ground.outside)
        .await?;
    let steady = steady(&acks.into_inner().unwrap_or_else(PoisonError::into_inner), records);
    let allowed = WHOLE.1.as_secs_f64() * learners as f64 / WHOLE.0 as f64;
    let took = lap.took.as_secs_f64();
    let lines = vec![
        format!(
            "{schools} schools, {learners} learners, {records} records, {CLIENTS} clients, batches of {}",
            plan.batch
        ),
        format!(
            "{:.0} records/s in {took:.1} s (allowed for so many learners: {allowed:.1} s); {} each",
            lap.rate(),
            lap.cpu.per(records)
        ),
        format!("registry: {} MiB resident at most", peak >> 20),
        format!(
            "database: {:.0} MiB per 100,000 learners",
            database as f64 / f64::from(1 << 20) / learners as f64 * 1e5
        ),
    ];
    let parts = vec![
        Part::at_most("time : allowed", took / allowed, 1.0),
        Part::at_most("registry's memory : 256 MiB", peak as f64 / MEMORY as f64, 1.0),
        Part::at_least("rate at the end : at the start", steady, GOAL_STEADY),
    ];
    load::hold(plan).await;
    ground.stop().await?;
    Ok(Figure { number: 3, title: "the province by eight clients".into(), parts, lines })
}

/// Rate over the last full fifth of the records against the first. The very end, when clients run out of schools, is left out.
fn steady(acks: &[(Duration, usize)], records: usize) -> f64 {
    let when = |share: f64| {
        let mut sum = 0;
        let wanted = records as f64 * share;
        let found = acks.iter().find(|(_, n)| {
            sum += n;
            sum as f64 >= wanted
        });
        found.map_or(0.0, |(at, _)| at.as_secs_f64())
    };
    let (first, last) = (when(0.25) - when(0.05), when(0.95) - when(0.75));
    first / last.max(1e-9)
}
