//! Figure 4: get by key from the cache and past it, against a bare echo of the same bytes; list pages at any depth.
use crate::asking::{CONNECTIONS, IN_FLIGHT, Times, ask, clients_of};
use crate::cpu::Watched;
use crate::data;
use crate::echo::Running;
use crate::figure::{Figure, Part};
use crate::ground::{Ground, run};
use crate::load::{self, push};
use crate::plan::Plan;
use crate::rounds::{Lap, Laps, median};
use anyhow::{Context, Result};
use eduhub_cli::server::Server;
use eduhub_proto::{
    common::v1::{GetRecordRequest, Kind, ListRecordsRequest},
    registry::v1::record_service_client::RecordServiceClient,
};
use eduhub_stack::Warden;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Of the echo's rate, from the cache and past it.
const GOAL_CACHED: f64 = 0.75;
const GOAL_FETCHED: f64 = 0.4;
/// Time of a page at depth against the first.
const GOAL_DEPTH: f64 = 1.2;
/// Records that are asked for again and again.
const HOT: usize = 2_000;
/// Rows of the school whose pages are read, and how deep.
const DEEP: usize = 400_000;
/// Rows in a page.
const PAGE: i32 = 200;
/// Pages read of each kind in a round.
const PAGES: usize = 60;

/// Measures the figure.
///
/// # Errors
/// When a round fails.
pub async fn figure(plan: &Plan) -> Result<Figure> {
    let (mut ground, parts) = load::open(plan).await?;
    push(&ground, &parts, plan.batch, plan.at_once).await?;
    let reader = ground.desk.reviewer();
    let ca = ground.stack.certs().ca_pem()?;
    let clients = clients_of(&reader.url, &ca, Some(&reader.session)).await?;
    let keys = keys(&ground, &parts)?;
    let count = if plan.smoke { 500 } else { 100_000 };
    let hot: Arc<Vec<_>> =
        Arc::new((0..count).map(|i| keys[(i * 7) % keys.len().min(HOT)].clone()).collect());
    let sample = clients[0].clone().get_record(keys[0].clone()).await?.into_inner();
    let warden = Arc::new(Warden::start()?);
    let certs = ground.stack.certs();
    let echo = Running::start(&plan.dir, (certs.cert.clone(), certs.key.clone()), &sample, &warden).await?;
    let bare = clients_of(&echo.url, &ca, None).await?;
    let aside = Watched { service: echo.pid().context("the echo has ended")?, ..ground.watched };
    let mut echoed = Run::new("bare tonic echo with TLS of the same bytes");
    let mut cached = Run::new("get, from the cache");
    let mut fetched = Run::new("get, each record for the first time");
    for round in 0..plan.rounds {
        ground.settle().await?;
        ask(&bare, &hot).await?;
        echoed.lap(&aside, ask(&bare, &hot)).await?;
        ask(&clients, &hot).await?;
        cached.lap(&ground.watched, ask(&clients, &hot)).await?;
        let fresh = Arc::new(fresh(&keys, round, plan.rounds));
        fetched.lap(&ground.watched, ask(&clients, &fresh)).await?;
    }
    let depth = depth(plan, &mut ground, &reader).await?;
    let parts = vec![
        Part::at_least("from the cache : echo", cached.laps.rate() / echoed.laps.rate(), GOAL_CACHED),
        Part::at_least("past the cache : echo", fetched.laps.rate() / echoed.laps.rate(), GOAL_FETCHED),
        Part::at_most("page at depth : first page", depth.1 / depth.0, GOAL_DEPTH),
    ];
    let mut lines = vec![format!("{IN_FLIGHT} requests on the way over {CONNECTIONS} connections")];
    lines.extend([&echoed, &cached, &fetched].map(Run::line));
    lines.push(format!(
        "page of {PAGE} rows: first {:.2} ms, at depth {:.2} ms",
        depth.0 * 1e3,
        depth.1 * 1e3
    ));
    load::hold(plan).await;
    drop(echo);
    ground.stop().await?;
    Ok(Figure { number: 4, title: "reading single records".into(), parts, lines })
}

struct Run {
    laps: Laps,
    times: Times,
}

impl Run {
    fn new(name: &str) -> Self {
        Self { laps: Laps::new(name), times: Times::default() }
    }

    async fn lap(&mut self, watched: &Watched, asking: impl Future<Output = Result<Times>>) -> Result<()> {
        let mut times = Times::default();
        let counted = async {
            times = asking.await?;
            Ok(times.len())
        };
        self.laps.laps.push(Lap::of(watched, counted).await?);
        self.times.add(times);
        Ok(())
    }

    fn line(&self) -> String {
        format!("{}; {}", self.laps.line("requests"), self.times.line())
    }
}

fn keys(
    ground: &Ground,
    parts: &[Arc<Vec<eduhub_proto::registry::v1::Record>>],
) -> Result<Vec<GetRecordRequest>> {
    let mut keys = Vec::new();
    for (part, (school, _)) in parts.iter().zip(&ground.vendors) {
        for record in part.iter() {
            let (school_code, record_key) = (school.school_code.clone(), data::pupil_key(record)?);
            keys.push(GetRecordRequest { school_code, kind: Kind::Pupil as i32, record_key, as_of: None });
        }
    }
    Ok(keys)
}

/// The round's share of the records that are not hot, in a scattered order.
fn fresh(keys: &[GetRecordRequest], round: usize, rounds: usize) -> Vec<GetRecordRequest> {
    let cold = &keys[keys.len().min(HOT)..];
    let share: Vec<_> = cold.iter().skip(round).step_by(rounds.max(1)).collect();
    // A stride without a common divisor visits each once.
    let stride = (7_919 % share.len().max(1)).max(1);
    let stride = (stride..).find(|s| gcd(*s, share.len()) == 1).unwrap_or(1);
    (0..share.len()).map(|i| share[i * stride % share.len()].clone()).collect()
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Median seconds of a first page and of one at depth, read in turns.
async fn depth(plan: &Plan, ground: &mut Ground, reader: &Server) -> Result<(f64, f64)> {
    let school = ground.vendors[0].0.school_code.clone();
    let rows = if plan.smoke { 2_000 } else { DEEP + DEEP / 20 };
    let columns = "school_code, school_year, version, digest, body, secret, withdrawn, xid, seq, changed_at, full_name, birth_date, sex";
    // Copies of a stored row under other keys: a school far larger than any, which only pages need.
    let fill = format!(
        "insert into pupil_record (record_id, record_key, {columns}) select gen_random_uuid(), 'Z' || lpad(n::text, 10, '0'), {columns}
         from (select * from pupil_record where school_code = '{school}' limit 1) r, generate_series(1, {rows}) n"
    );
    run(&mut ground.outside, &fill).await?;
    ground.settle().await?;
    let mut client = RecordServiceClient::new(reader.channel()?);
    let ask = |token: String, size| ListRecordsRequest {
        school_code: school.clone(),
        kind: Kind::Pupil as i32,
        page_size: size,
        page_token: token,
        ..ListRecordsRequest::default()
    };
    let (mut token, mut at) = (String::new(), 0);
    let deep = if plan.smoke { 1_000 } else { DEEP };
    while at < deep {
        let page = client.list_records(ask(token, 1_000)).await?.into_inner();
        at += page.records.len();
        token = page.next_page_token;
        anyhow::ensure!(!token.is_empty(), "the list ended at {at}");
    }
    let mut times: [Vec<Duration>; 2] = Default::default();
    for n in 0..PAGES * plan.rounds.max(1) * 2 {
        let asked = ask(if n % 2 == 0 { String::new() } else { token.clone() }, PAGE);
        let started = Instant::now();
        let page = client.list_records(asked).await?.into_inner();
        times[n % 2].push(started.elapsed());
        anyhow::ensure!(page.records.len() == usize::try_from(PAGE)?, "a short page");
    }
    let [first, deep] = times.map(|t| median(t.iter().map(Duration::as_secs_f64).collect()));
    Ok((first, deep))
}
