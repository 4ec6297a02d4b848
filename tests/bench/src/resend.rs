//! Figure 2: the nightly push of everything with one record in a hundred changed.
use crate::data;
use crate::figure::{Figure, Part};
use crate::load::{self, push};
use crate::plan::Plan;
use crate::rounds::{Lap, Laps};
use anyhow::{Result, ensure};

/// Full records on the wire against the first load.
const GOAL_FULL: f64 = 2.0;
/// One record in so many is changed.
const NTH: usize = 100;

/// Measures the figure.
///
/// # Errors
/// When a round fails.
pub async fn figure(plan: &Plan) -> Result<Figure> {
    let (mut ground, parts) = load::open(plan).await?;
    let mut first = Laps::new("first load");
    let mut again = Laps::new("the same with 1 % changed, full records");
    push(&ground, &parts, plan.batch, plan.at_once).await?;
    for round in 0..plan.rounds {
        ground.empty().await?;
        let watched = ground.watched;
        first.laps.push(Lap::of(&watched, push(&ground, &parts, plan.batch, plan.at_once)).await?);
        let changed = parts.iter().map(|p| data::changed(p, NTH, round)).collect::<Result<Vec<_>>>()?;
        let before = ground.count("change_log").await?;
        ground.settle().await?;
        again.laps.push(Lap::of(&watched, push(&ground, &changed, plan.batch, plan.at_once)).await?);
        let expected: usize = parts.iter().map(|p| p.len().div_ceil(NTH)).sum();
        let entries = ground.count("change_log").await? - before;
        ensure!(entries == i64::try_from(expected)?, "{entries} log entries for {expected} changes");
    }
    let part = Part::at_least("1 % changed : first load", again.rate() / first.rate(), GOAL_FULL);
    let lines = vec![first.line("records"), again.line("records")];
    load::hold(plan).await;
    ground.stop().await?;
    Ok(Figure { number: 2, title: "nightly push, 1 % changed".into(), parts: vec![part], lines })
}
