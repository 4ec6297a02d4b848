//! Figure 5: how soon a commit is with a consumer while a province loads, what catching up costs, and what consumers cost each
//! other.
mod bare;
mod consumer;
mod probe;

pub use bare::{ARGUMENT, serve};

use crate::data;
use crate::figure::{Figure, Part};
use crate::ground::Ground;
use crate::load::push;
use crate::plan::Plan;
use crate::rounds::{Lap, Laps, median};
use anyhow::{Context, Result, ensure};
use consumer::{begin, catch_up, keep_reading, never_read};
use eduhub_cli::server::Server;
use eduhub_proto::registry::v1::Record;
use futures::future::try_join_all;
use probe::Latencies;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Longest way from a commit to a consumer, 99 of 100 times.
const SOON: Duration = Duration::from_millis(50);
/// Share of a bare server stream of the same messages.
const CATCH_UP: f64 = 0.5;
/// What eight consumers may cost the database, one being 1.
const EIGHT: f64 = 1.3;
/// How much a consumer that does not read may slow the others, by their 99th percentile.
const SLOWED: f64 = 1.1;

/// Schools that nobody else pushes for, each with a prober.
const PROBERS: usize = 4;

struct Feed {
    ground: Ground,
    parts: Vec<Arc<Vec<Record>>>,
    consumer: Server,
    /// Vendors of the probers' schools.
    probers: Vec<(String, Server)>,
    /// Where the log begins that the last load left.
    start: Vec<u8>,
}

/// Measures the figure.
///
/// # Errors
/// When anything breaks.
pub async fn figure(plan: &Plan) -> Result<Figure> {
    let mut feed = open(plan).await?;
    let (mut lines, mut parts) = (Vec::new(), Vec::new());
    let (alone, beside) = latencies(&mut feed, plan).await?;
    let shown = |name: &str, all: &Latencies| {
        let [p50, p99] = [0.50, 0.99].map(|share| all.at(share) * 1e3);
        format!("{name}: p50 {p50:.1} ms, p99 {p99:.1} ms of {} probes", all.len())
    };
    lines.push(shown("reply to consumer while pupils load", &alone));
    lines.push(shown("the same beside a consumer that never reads", &beside));
    parts.push(Part::at_most("p99 : 50 ms", alone.at(0.99) / SOON.as_secs_f64(), 1.0));
    parts.push(Part::at_most(
        "p99 beside a stuck consumer : p99",
        beside.at(0.99) / alone.at(0.99).max(1e-6),
        SLOWED,
    ));
    let (caught, bare) = catching_up(&mut feed, plan).await?;
    lines.extend([bare.line("events"), caught.line("events")]);
    parts.push(Part::at_least("catch-up : bare stream", caught.rate() / bare.rate(), CATCH_UP));
    let (one, eight) = many(&mut feed, plan).await?;
    lines.push(format!("Postgres: {one:.2} s for one consumer, {eight:.2} s for eight"));
    parts.push(Part::at_most("eight consumers : one, Postgres", eight / one.max(1e-6), EIGHT));
    crate::load::hold(plan).await;
    feed.ground.stop().await?;
    Ok(Figure { number: 5, title: "the feed".into(), parts, lines })
}

async fn open(plan: &Plan) -> Result<Feed> {
    let province = data::province(plan.pupils + plan.pupils / 20, plan.schools + PROBERS)?;
    let parts = data::pupils(&province, plan.pupils, plan.schools)?;
    let mut ground = Ground::start(plan, &province, plan.schools + PROBERS, &[]).await?;
    let probers = ground.vendors.split_off(plan.schools);
    let probers: Vec<_> = probers.into_iter().map(|(school, server)| (school.school_code, server)).collect();
    ensure!(probers.len() == PROBERS, "too few schools for the probes");
    let consumer = ground.desk.consumer().await?;
    Ok(Feed { ground, parts, consumer, probers, start: vec![] })
}

/// Loads beside probers and a consumer: alone and with a consumer that is stuck, by turns the one first and the other.
async fn latencies(feed: &mut Feed, plan: &Plan) -> Result<(Latencies, Latencies)> {
    let (mut alone, mut beside) = (Latencies::default(), Latencies::default());
    push(&feed.ground, &feed.parts, plan.batch, plan.at_once).await.context("first load")?;
    for round in 0..plan.rounds {
        for turn in 0..2 {
            let stuck = (round + turn) % 2 == 1;
            let lap = lap(feed, plan, stuck).await?;
            if stuck { &mut beside } else { &mut alone }.add(lap);
        }
    }
    Ok((alone, beside))
}

/// One load. It begins with a school that is not probed: the log was emptied just before, and what Postgres does until it knows
/// that there is something in it again is of no log that has ever lived.
async fn lap(feed: &mut Feed, plan: &Plan, stuck: bool) -> Result<Latencies> {
    feed.ground.empty().await?;
    let start = begin(&feed.consumer).await?;
    // The pages that consumers share still have the log as it was before it was emptied.
    feed.start.clone_from(&start);
    let stuck = if stuck { Some(never_read(&feed.consumer, start.clone()).await?) } else { None };
    let schools = feed.probers.iter().map(|(school, _)| school.clone()).collect();
    let reading = keep_reading(&feed.consumer, start, schools).await?;
    let (first, rest) = feed.parts.split_at(1);
    push(&feed.ground, first, plan.batch, plan.at_once).await?;
    let year = feed.ground.school_year;
    let probing = feed.probers.iter().map(|(school, server)| probe::start(server, school, year));
    let probing = try_join_all(probing).await?;
    feed.ground.vendors.rotate_left(1);
    let pushed = push(&feed.ground, rest, plan.batch, plan.at_once).await;
    feed.ground.vendors.rotate_right(1);
    pushed?;
    let mut replied = HashMap::new();
    for one in probing {
        replied.extend(one.stop().await?);
    }
    let lap = Latencies::of(&replied, &reading.until(&replied).await?)?;
    drop(stuck);
    Ok(lap)
}

/// The whole log by one consumer, and the same messages from a bare server.
async fn catching_up(feed: &mut Feed, plan: &Plan) -> Result<(Laps, Laps)> {
    let messages = plan.dir.join("feed.messages");
    let events = consumer::keep(&feed.consumer, feed.start.clone(), &messages).await?;
    let bare_server = bare::Running::start(plan, &feed.ground, &messages).await?;
    let mut caught = Laps::new("catch-up through the log");
    let mut bare = Laps::new("bare server stream of the same messages");
    for _ in 0..plan.rounds {
        let watched = feed.ground.watched;
        bare.laps.push(Lap::of(&watched, bare_server.read(feed.ground.desk.tls())).await?);
        caught.laps.push(Lap::of(&watched, catch_up(&feed.consumer, feed.start.clone(), events)).await?);
    }
    Ok((caught, bare))
}

/// Postgres' seconds for one consumer of the whole log and for eight at once.
async fn many(feed: &mut Feed, plan: &Plan) -> Result<(f64, f64)> {
    let events = usize::try_from(feed.ground.count("change_log").await?)?;
    let (mut one, mut eight) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        for (consumers, spent) in [(1, &mut one), (8, &mut eight)] {
            // What a minute before left in the shared pages is forgotten.
            tokio::time::sleep(consumer::SHARED_PAGES_LIVE).await;
            let watched = feed.ground.watched;
            let all = (0..consumers).map(|_| catch_up(&feed.consumer, feed.start.clone(), events));
            let lap = Lap::of(&watched, async { Ok(try_join_all(all).await?.into_iter().sum()) }).await?;
            spent.push(lap.cpu.postgres.as_secs_f64());
        }
    }
    Ok((median(one), median(eight)))
}
