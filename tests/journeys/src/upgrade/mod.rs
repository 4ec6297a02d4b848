//! A release changes under load: the schema first, then one instance after the other, as Kubernetes does it. Nobody's request
//! fails, nothing happens twice, and the release before still runs on the new schema.
//!
//! Without a release before (`EDUHUB_OLD_BIN_DIR`) the binaries are the same and the newer schema is one migration more, as the
//! next release will have it.
mod balancer;
mod load;
mod people;
mod release;

use crate::ground::{Data, Ground};
use crate::journey;
use balancer::Balancer;
use eduhub_cli::hub::Registry;
use eduhub_cli::push::Outcome;
use eduhub_pg::{PgPool, Standing};
use eduhub_stack::{Process, Program, Warden};
use eduhub_testkit::until;
use load::Calls;
use people::People;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rolling_upgrade_fails_no_request_and_doubles_no_effect() {
    let dir = tempfile::tempdir().unwrap();
    let balancer = Balancer::start().await;
    let data = Data::generate(dir.path().join("data"));
    let mut ground = Ground::start(dir.path(), data, |mut config| {
        config.bin_dir = release::binaries_before();
        config
    })
    .await;
    let mut pair = Pair::start(&ground).await;
    for address in [pair.first, pair.second] {
        balancer.put(address);
    }
    let people = People::gather(&ground, &balancer.url).await;

    // Load: a push of each school, a copy, single calls.
    let (calls, stop) = (Arc::new(Calls::default()), CancellationToken::new());
    let copy = dir.path().join("copy");
    let complete = Arc::new(AtomicI64::new(0));
    let watching = tokio::spawn(load::watch(people.consumer.clone(), copy, complete.clone(), stop.clone()));
    let asking = tokio::spawn({
        let (calls, school) = (calls.clone(), ground.school(0).school_code.clone());
        let (officer, consumer) = (people.officer.channel().unwrap(), people.consumer.channel().unwrap());
        async move { calls.run(officer, consumer, &school).await }
    });
    let year = ground.year();
    let pushing: Vec<_> = (0..people.vendors.len())
        .map(|n| {
            let (school, vendor) = (ground.school(n), people.vendors[n].clone());
            let file = ground.data.file(school, "registry.jsonl");
            tokio::spawn(load::push(vendor, file, school.school_code.clone(), year))
        })
        .collect();
    until(load::PATIENCE, || async { calls.answered.load(Ordering::Relaxed) > 50 }).await;

    pair.upgrade(&mut ground).await;
    let mut pushes = Vec::new();
    for push in pushing {
        pushes.push(push.await.unwrap());
    }
    calls.stop.store(true, Ordering::Relaxed);
    let failed = asking.await.unwrap();
    let answered = calls.answered.load(Ordering::Relaxed);
    assert!(failed.is_empty(), "{} of {answered} calls failed: {:?}", failed.len(), failed.first());
    assert!(answered > 200, "only {answered} calls");

    let log = log_entries(&pair.pool).await;
    once(&pair.pool, &pushes).await;
    let connections: u32 = pushes.iter().map(|p| p.connections).sum();
    assert!(connections > 3, "no push was cut");
    again(&ground, &people).await;
    assert_eq!(log_entries(&pair.pool).await, log);

    load::caught_up(&complete).await;
    stop.cancel();
    let (copy, lost) = watching.await.unwrap();
    assert!(lost > 0, "the feed met no drain");
    for school in &ground.data.province.schools {
        let hub = journey::digest(people.consumer(), school).await.unwrap();
        assert_eq!(copy.digest_of(&school.school_code).digest, hub.digest, "{}", school.school_code);
    }
    println!(
        "upgrade: {answered} calls, {connections} connections of 3 pushes, {lost} of the feed, {log} log entries"
    );
    pair.beyond(&mut ground).await;
    ground.stop().await;
}

/// Whoever pushes it all again changes nothing.
async fn again(ground: &Ground, people: &People) {
    for n in 0..people.vendors.len() {
        let (receipt, _) =
            journey::push::<Registry>(ground, people.vendor(n), ground.school(n)).await.unwrap();
        let totals = receipt.totals.unwrap();
        assert_eq!((totals.created, totals.updated), (0, 0), "{totals:?}");
    }
}

async fn log_entries(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from change_log").fetch_one(pool).await.unwrap()
}

/// Every record of a push is counted once, and every change that its receipt names stands in the log once.
async fn once(pool: &PgPool, pushes: &[Outcome]) {
    for push in pushes {
        let totals = push.receipt.totals.unwrap();
        let judged = totals.created + totals.updated + totals.unchanged + totals.rejected + totals.held;
        assert_eq!(judged, push.receipt.record_count, "{totals:?}");
        let session: uuid::Uuid = push.receipt.session_id.parse().unwrap();
        let entries: i64 = sqlx::query_scalar("select count(*) from change_log where session_id = $1")
            .bind(session)
            .fetch_one(pool)
            .await
            .unwrap();
        let changes = totals.created + totals.updated + totals.admitted + totals.withdrawn;
        assert_eq!(u64::try_from(entries).unwrap(), changes, "{totals:?}");
    }
    let twice: i64 = sqlx::query_scalar(
        "select count(*) from (select record_id, version from change_log group by 1, 2 having count(*) > 1) twice",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!(twice, 0, "a version of a record was written twice");
}

/// Two instances of registry.
struct Pair {
    first: SocketAddr,
    second: SocketAddr,
    /// The second one; the first is the stack's.
    beside: Process,
    warden: Arc<Warden>,
    pool: PgPool,
}

impl Pair {
    async fn start(ground: &Ground) -> Self {
        let warden = Arc::new(Warden::start().unwrap());
        let first = ground.stack.addr(Program::Registry).unwrap();
        let second = eduhub_stack::free_ports(1).unwrap()[0];
        let beside = release::start(release::before(ground, second), &warden).await.unwrap();
        Self { first, second, beside, warden, pool: release::database(ground).await }
    }

    /// Schema first; the release before serves on it, and starts on it; then one instance after the other.
    async fn upgrade(&mut self, ground: &mut Ground) {
        if release::binaries_before().is_some() {
            release::migrate(ground, &self.warden).await.unwrap();
        } else {
            eduhub_pg::migrate(&self.pool, &release::after(1)).await.unwrap();
        }
        let standing = eduhub_pg::check_schema(&self.pool, &eduhub_registry::schema::MIGRATOR).await.unwrap();
        let ahead = release::binaries_before().is_none();
        assert_eq!(standing, if ahead { Standing::Ahead } else { Standing::Current });
        self.second_becomes(release::before(ground, self.second)).await;
        let launch = release::present(ground, self.first);
        ground.stack.replace(Program::Registry, launch).await.unwrap();
        self.second_becomes(release::present(ground, self.second)).await;
    }

    async fn second_becomes(&mut self, launch: eduhub_stack::Launch) {
        self.beside.stop(Duration::from_secs(15)).await.unwrap();
        self.beside = release::start(launch, &self.warden).await.unwrap();
    }

    /// A schema that says that this release does not run on it: nothing of it starts, and it says why.
    async fn beyond(mut self, ground: &mut Ground) {
        eduhub_pg::migrate(&self.pool, &release::after(2)).await.unwrap();
        self.beside.stop(Duration::from_secs(15)).await.unwrap();
        let refused = release::start(release::present(ground, self.second), &self.warden).await.unwrap_err();
        assert!(refused.to_string().contains("use the newer release"), "{refused}");
        let refused = release::migrate(ground, &self.warden).await.unwrap_err();
        assert!(refused.to_string().contains("use the newer release"), "{refused}");
    }
}
