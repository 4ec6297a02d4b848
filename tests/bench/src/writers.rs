//! Figure 6: eight writers of different schools against one; two writers of one school.
use crate::figure::{Figure, Part};
use crate::ground::Ground;
use crate::load::{self, push};
use crate::plan::Plan;
use crate::rounds::{Lap, Laps};
use anyhow::{Result, ensure};
use eduhub_cli::hub::Registry;
use eduhub_cli::push::{Job, push_school};
use eduhub_proto::registry::v1::Record;
use std::sync::Arc;

/// Eight against one on two cores.
const GOAL: f64 = 1.5;
/// Writers.
const WRITERS: usize = 8;

/// Measures the figure.
///
/// # Errors
/// When a round fails, or records are lost.
pub async fn figure(plan: &Plan) -> Result<Figure> {
    let plan = Plan { schools: WRITERS, ..plan.clone() };
    let (mut ground, parts) = load::open(&plan).await?;
    push(&ground, &parts, plan.batch, WRITERS).await?;
    let mut one = Laps::new("one writer, school after school");
    let mut eight = Laps::new("eight writers");
    for _ in 0..plan.rounds {
        let watched = ground.watched;
        ground.empty().await?;
        one.laps.push(Lap::of(&watched, push(&ground, &parts, plan.batch, 1)).await?);
        ground.empty().await?;
        eight.laps.push(Lap::of(&watched, push(&ground, &parts, plan.batch, WRITERS)).await?);
    }
    let shared = one_school(&mut ground, &parts[0], plan.batch).await?;
    let lines = vec![one.line("records"), eight.line("records"), shared];
    let part = Part::at_least("eight writers : one", eight.rate() / one.rate(), GOAL);
    load::hold(&plan).await;
    ground.stop().await?;
    Ok(Figure { number: 6, title: "writers beside each other".into(), parts: vec![part], lines })
}

/// Two sessions push the two halves of one school at the same time: nothing may be lost, nobody may fail.
async fn one_school(ground: &mut Ground, records: &[Record], batch: usize) -> Result<String> {
    ground.empty().await?;
    let (school, server) = &ground.vendors[0];
    let (left, right) = records.split_at(records.len() / 2);
    let half = |records: &[Record]| {
        let job = Job { batch, ..Job::new(&school.school_code, ground.school_year) };
        let source = crate::data::Shared(Arc::new(records.to_vec()));
        async move { push_school::<Registry>(server, &job, source, |_| ()).await }
    };
    let (a, b) = tokio::try_join!(half(left), half(right))?;
    let broken = a.connections + b.connections - 2;
    let (rows, entries) = (ground.count("pupil_record").await?, ground.count("change_log").await?);
    let expected = i64::try_from(records.len())?;
    ensure!(
        rows == expected && entries == expected,
        "{rows} rows and {entries} entries of {expected} records"
    );
    ensure!(broken == 0, "{broken} connections broke");
    Ok(format!(
        "two writers of one school: {rows} rows and {entries} log entries of {expected} records, no retry"
    ))
}
