//! Figure 1: the first load of pupils through the real push, against binary COPY of the same rows.
use crate::copy::Rows;
use crate::data::{self, Shared};
use crate::figure::{Figure, Part};
use crate::ground::Ground;
use crate::plan::Plan;
use crate::rounds::{Lap, Laps};
use anyhow::{Context, Result, ensure};
use eduhub_cli::hub::Registry;
use eduhub_cli::push::{Job, push_school};
use eduhub_proto::registry::v1::Record;
use futures::{StreamExt, TryStreamExt, stream};
use std::sync::Arc;

/// What share of COPY the push must reach.
const GOAL: f64 = 0.5;

/// Pushes each part as one school's, so many at once. Gives the number of records; a refused one is an error.
///
/// # Errors
/// The push's.
pub async fn push(
    ground: &Ground,
    parts: &[Arc<Vec<Record>>],
    batch: usize,
    at_once: usize,
) -> Result<usize> {
    let pushes = parts.iter().zip(&ground.vendors).map(|(part, (school, server))| async move {
        let job = Job { batch, ..Job::new(&school.school_code, ground.school_year) };
        let outcome = push_school::<Registry>(server, &job, Shared(part.clone()), |_| ()).await?;
        let totals = outcome.receipt.totals.unwrap_or_default();
        ensure!(
            totals.rejected == 0 && totals.held == 0,
            "records were refused: {:?}",
            outcome.findings.groups()
        );
        Ok::<_, anyhow::Error>(part.len())
    });
    let sizes: Vec<usize> = stream::iter(pushes).buffer_unordered(at_once.max(1)).try_collect().await?;
    Ok(sizes.into_iter().sum())
}

/// Starts the services and makes the pupils of figures 1, 2 and 6.
///
/// # Errors
/// When anything does not start.
pub async fn open(plan: &Plan) -> Result<(Ground, Vec<Arc<Vec<Record>>>)> {
    let province = data::province(plan.pupils + plan.pupils / 20, plan.schools)?;
    let parts = data::pupils(&province, plan.pupils, plan.schools)?;
    let ground = Ground::start(plan, &province, plan.schools, &[]).await?;
    Ok((ground, parts))
}

/// Measures the figure.
///
/// # Errors
/// When a round fails.
pub async fn figure(plan: &Plan) -> Result<Figure> {
    let (mut ground, parts) = open(plan).await?;
    let total: usize = parts.iter().map(|p| p.len()).sum();
    // Warms caches and connections, and gives the yardstick its rows.
    push(&ground, &parts, plan.batch, plan.at_once).await.context("first load")?;
    ensure!(ground.count("pupil_record").await? == i64::try_from(total)?, "rows are missing");
    ensure!(ground.count("change_log").await? == i64::try_from(total)?, "log entries are missing");
    let rows = Rows::read(&mut ground).await?;
    let mut copied = Laps::new("binary COPY into the same indexed table");
    let mut pushed = Laps::new(format!("push, {} at once, batches of {}", plan.at_once, plan.batch));
    for _ in 0..plan.rounds {
        rows.prepare(&mut ground).await?;
        let watched = ground.watched;
        copied.laps.push(Lap::of(&watched, rows.copy(&mut ground)).await?);
        ground.empty().await?;
        pushed.laps.push(Lap::of(&watched, push(&ground, &parts, plan.batch, plan.at_once)).await?);
    }
    let lines = vec![
        format!("{total} pupils of {} schools, {} bytes a row", parts.len(), rows.len() / total.max(1)),
        copied.line("rows"),
        pushed.line("records"),
    ];
    let part = Part::at_least("push : COPY", pushed.rate() / copied.rate(), GOAL);
    hold(plan).await;
    ground.stop().await?;
    Ok(Figure { number: 1, title: "first load of pupils".into(), parts: vec![part], lines })
}

/// Waits for ctrl-C when the plan says so.
pub async fn hold(plan: &Plan) {
    if plan.hold {
        let _ = tokio::signal::ctrl_c().await;
    }
}
