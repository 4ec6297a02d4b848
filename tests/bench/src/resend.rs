//! Figure 2: the nightly push of everything with one record in a hundred changed: full records on the wire, and the digest
//! handshake, which sends the changed ones only. Its rate counts all records that were compared.
use crate::data::{self, Shared};
use crate::figure::{Figure, Part};
use crate::ground::Ground;
use crate::load::{self, push};
use crate::plan::Plan;
use crate::rounds::{Lap, Laps};
use anyhow::{Result, ensure};
use eduhub_cli::hub::Registry;
use eduhub_cli::push::{Job, SyncOptions, sync_school};
use eduhub_proto::registry::v1::Record;
use futures::{StreamExt, TryStreamExt, stream};
use std::sync::Arc;

/// Full records on the wire against the first load.
const GOAL_FULL: f64 = 2.0;
/// Digest handshake against the first load.
const GOAL_HANDSHAKE: f64 = 5.0;
/// One record in so many is changed.
const NTH: usize = 100;

/// Compares each part as one school's, so many at once, and pushes what differs. Gives the number of records compared.
async fn sync(ground: &Ground, parts: &[Arc<Vec<Record>>], batch: usize, at_once: usize) -> Result<usize> {
    let syncs = parts.iter().zip(&ground.vendors).map(|(part, (school, server))| async move {
        let job = Job { batch, ..Job::new(&school.school_code, ground.school_year) };
        let (options, source) = (SyncOptions::default(), Shared(part.clone()));
        let synced = sync_school::<Registry>(server, &job, &options, source, |_| ()).await?;
        let (sent, withdrawn) = (synced.sum(|k| k.sent), synced.sum(|k| k.withdrawn));
        ensure!(sent == part.len().div_ceil(NTH) as u64, "{sent} records were sent");
        ensure!(withdrawn == 0, "{withdrawn} records were withdrawn");
        Ok::<_, anyhow::Error>(part.len())
    });
    let sizes: Vec<usize> = stream::iter(syncs).buffer_unordered(at_once.max(1)).try_collect().await?;
    Ok(sizes.into_iter().sum())
}

/// Every `NTH` record of each part changed, in another way for each salt.
fn changed(parts: &[Arc<Vec<Record>>], salt: usize) -> Result<Vec<Arc<Vec<Record>>>> {
    parts.iter().map(|part| data::changed(part, NTH, salt)).collect()
}

/// Measures the figure.
///
/// # Errors
/// When a round fails.
pub async fn figure(plan: &Plan) -> Result<Figure> {
    let (mut ground, parts) = load::open(plan).await?;
    let expected: i64 = parts.iter().map(|p| p.len().div_ceil(NTH) as i64).sum();
    let mut first = Laps::new("first load");
    let mut again = Laps::new("the same with 1 % changed, full records");
    let mut compared = Laps::new("the same with 1 % changed, digest handshake");
    push(&ground, &parts, plan.batch, plan.at_once).await?;
    for round in 0..plan.rounds {
        ground.empty().await?;
        let watched = ground.watched;
        first.laps.push(Lap::of(&watched, push(&ground, &parts, plan.batch, plan.at_once)).await?);
        let (full, by_digest) = (changed(&parts, 2 * round + 1)?, changed(&parts, 2 * round + 2)?);
        let before = ground.count("change_log").await?;
        ground.settle().await?;
        again.laps.push(Lap::of(&watched, push(&ground, &full, plan.batch, plan.at_once)).await?);
        ground.settle().await?;
        compared.laps.push(Lap::of(&watched, sync(&ground, &by_digest, plan.batch, plan.at_once)).await?);
        let entries = ground.count("change_log").await? - before;
        ensure!(entries == 2 * expected, "{entries} log entries for twice {expected} changes");
    }
    let parts = vec![
        Part::at_least("1 % changed : first load", again.rate() / first.rate(), GOAL_FULL),
        Part::at_least("digest handshake : first load", compared.rate() / first.rate(), GOAL_HANDSHAKE),
    ];
    let lines = vec![first.line("records"), again.line("records"), compared.line("records")];
    load::hold(plan).await;
    ground.stop().await?;
    Ok(Figure { number: 2, title: "nightly push, 1 % changed".into(), parts, lines })
}
