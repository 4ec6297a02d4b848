//! The feed under concurrent writers: nothing lost, nothing doubled, order per record kept. The same harness finds the
//! losses of a reader that trusts the sequence alone, so it would find ours.
use crate::{
    following::{Follower, Got},
    hub::Hub,
};
use async_trait::async_trait;
use eduhub_auth::testing::Persona;
use eduhub_changelog::{RecordSet, RowChange, Table, WriteContext, lock_school, prefetch, write};
use eduhub_proto::registry::v1::Campus;
use eduhub_registry::records::RegistryRecords;
use prost::Message;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::{PgConnection, PgPool, Row};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use uuid::Uuid;

/// One change as a reader saw it: school and key, version, whether it came with the snapshot.
type Seen = ((String, String), i64, bool);

/// A way to follow the log.
#[async_trait]
trait Reader: Send {
    /// The next changes, and whether it can say that there are no more now: transactions of other databases of the cluster may
    /// hold committed changes back.
    async fn next(&mut self) -> (Vec<Seen>, bool);
}

/// The feed as consumers use it, broken off and resumed now and then.
struct Watching<'a> {
    hub: &'a Hub,
    persona: Persona,
    stream: Follower,
    cursor: Vec<u8>,
    random: ChaCha8Rng,
}

impl<'a> Watching<'a> {
    async fn new(hub: &'a Hub, seed: u64) -> Self {
        let persona = Persona::consumer();
        let stream = Follower::open(hub, &persona, vec![]).await;
        Self { hub, persona, stream, cursor: vec![], random: ChaCha8Rng::seed_from_u64(seed) }
    }
}

#[async_trait]
impl Reader for Watching<'_> {
    async fn next(&mut self) -> (Vec<Seen>, bool) {
        if self.random.random_bool(0.1) {
            // What was on the way is lost; the cursor is that of the last batch that was applied.
            self.stream = Follower::open(self.hub, &self.persona, self.cursor.clone()).await;
        }
        match self.stream.next().await.unwrap() {
            Got::Checkpoint(c) => {
                self.cursor = c.cursor;
                (vec![], c.live && c.lag_ms == 0)
            }
            Got::Scope(_) => panic!("the scope is the province"),
            Got::Changes(changes, cursor) => {
                self.cursor = cursor;
                let headers = changes.into_iter().map(|c| c.header.unwrap());
                (headers.map(|h| ((h.school_code, h.record_key), h.version, h.snapshot)).collect(), false)
            }
        }
    }
}

/// What one writes first: everything above the last sequence number.
struct Naive {
    pool: PgPool,
    last: i64,
}

#[async_trait]
impl Reader for Naive {
    async fn next(&mut self) -> (Vec<Seen>, bool) {
        let sql = "select seq, school_code, record_key, version from change_log where seq > $1 order by seq limit 1000";
        let rows = sqlx::query(sql).bind(self.last).fetch_all(&self.pool).await.unwrap();
        if rows.is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.last = rows.last().map_or(self.last, |r| r.get(0));
        let seen = rows.iter().map(|r| ((r.get(1), r.get(2)), r.get(3), false)).collect();
        (seen, rows.is_empty())
    }
}

/// What a reader got wrong.
#[derive(Debug, Default, PartialEq)]
struct Verdict {
    /// Changes that it should have seen and did not.
    lost: i64,
    /// Changes that came again.
    repeated: i64,
    /// Changes of one record that came after a later one.
    swapped: i64,
}

/// Follows until the writers are done and nothing more comes.
async fn judge(mut reader: impl Reader, pool: &PgPool, done: Arc<AtomicBool>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut newest: HashMap<(String, String), i64> = HashMap::new();
    // Records that were first seen in the tail at a version above 1: right only when the version before was made before
    // the snapshot's horizon.
    let mut firsts = Vec::new();
    let mut horizon = None;
    let mut quiet = 0;
    // Thrice: the first sign of quiet may be of the moment before the last commit.
    while quiet < 3 {
        let over = done.load(Ordering::SeqCst);
        let (seen, calm) = reader.next().await;
        if horizon.is_none() {
            let xmin = "select pg_snapshot_xmin(pg_current_snapshot())::text::int8";
            horizon = Some(sqlx::query_scalar::<_, i64>(xmin).fetch_one(pool).await.unwrap());
        }
        quiet = if over && calm { quiet + 1 } else { 0 };
        for (record, version, snapshot) in seen {
            let before = newest.get(&record).copied().unwrap_or(version - 1);
            if !snapshot && !newest.contains_key(&record) && version > 1 {
                firsts.push((record.clone(), version));
            }
            match version - before {
                1 => {}
                0 => verdict.repeated += 1,
                n if n < 0 => verdict.swapped += 1,
                n => verdict.lost += n - 1,
            }
            newest.insert(record, version.max(before));
        }
    }
    verdict.lost += skipped(pool, &firsts, horizon.unwrap_or_default()).await;
    let rows = sqlx::query("select school_code, record_key, version, withdrawn from campus_record");
    for r in rows.fetch_all(pool).await.unwrap() {
        match newest.get(&(r.get(0), r.get(1))) {
            Some(held) => verdict.lost += r.get::<i64, _>(2) - held,
            None => verdict.lost += i64::from(!r.get::<bool, _>(3)),
        }
    }
    verdict
}

/// How many of these had a change before the one that was seen first, and after the stream began.
async fn skipped(pool: &PgPool, firsts: &[((String, String), i64)], horizon: i64) -> i64 {
    let sql = "select xid from change_log where school_code = $1 and record_key = $2 and version = $3";
    let mut lost = 0;
    for ((school, key), version) in firsts {
        let before = sqlx::query_scalar::<_, i64>(sql).bind(school).bind(key).bind(version - 1);
        lost += i64::from(before.fetch_one(pool).await.unwrap() >= horizon);
    }
    lost
}

const SCHOOLS: u64 = 6;
const KEYS: u32 = 12;

fn table() -> &'static Table {
    RegistryRecords::tables().iter().find(|t| t.name == "campus_record").unwrap()
}

/// One transaction of one school: some records changed, time to think, then commit or rollback.
async fn transaction(conn: &mut PgConnection, school: &str, random: &mut ChaCha8Rng, think: u64) {
    let mut tx = sqlx::Connection::begin(conn).await.unwrap();
    lock_school(&mut tx, school).await.unwrap();
    let mut keys: Vec<String> =
        (0..random.random_range(1..4)).map(|_| format!("CS{}", random.random_range(0..KEYS))).collect();
    keys.sort();
    keys.dedup();
    let named: Vec<&str> = keys.iter().map(String::as_str).collect();
    let old = prefetch(&mut tx, table(), school, &named).await.unwrap();
    let rows: Vec<RowChange> = keys
        .iter()
        .map(|key| {
            let before = old.get(key);
            let version = before.map_or(1, |o| o.version + 1);
            let withdrawn = before.is_some() && random.random_bool(0.1);
            let image = Campus { campus_code: key.clone(), name: format!("{version}"), ..Campus::default() };
            RowChange {
                record_id: before.map_or_else(Uuid::now_v7, |o| o.record_id),
                record_key: key.clone(),
                school_year: 0,
                version,
                digest: version.to_be_bytes().to_vec(),
                body: if withdrawn { vec![] } else { image.encode_to_vec() },
                secret: None,
                withdrawn,
                columns: vec![],
            }
        })
        .collect();
    let who =
        WriteContext { school_code: school.into(), grant_id: None, actor: "test".into(), session_id: None };
    write(&mut tx, table(), &who, &rows).await.unwrap();
    tokio::time::sleep(Duration::from_micros(random.random_range(0..=think))).await;
    if random.random_bool(0.1) {
        tx.rollback().await.unwrap();
    } else {
        tx.commit().await.unwrap();
    }
}

/// Eight writers on six schools; every twentieth transaction is a long one.
async fn write_all(pool: &PgPool, seed: u64, transactions: u32) {
    let writers: Vec<_> = (0..8)
        .map(|w: u64| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut random = ChaCha8Rng::seed_from_u64(seed * 100 + w);
                let mut conn = pool.acquire().await.unwrap();
                let school = format!("3714329{:04}", w % SCHOOLS);
                for n in 0..transactions {
                    let think = if n % 20 == 7 { 150_000 } else { 4_000 };
                    transaction(&mut conn, &school, &mut random, think).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Runs writers and readers; gives what each reader got wrong.
async fn trial<R, F>(hub: &Hub, seed: u64, readers: Vec<F>) -> Vec<Verdict>
where
    F: AsyncFnOnce() -> R,
    R: Reader,
{
    let pool = hub.db.pool().await;
    let reading = hub.db.pool().await;
    let done = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let done = done.clone();
        async move {
            write_all(&pool, seed, 120).await;
            done.store(true, Ordering::SeqCst);
        }
    });
    let judging = readers.into_iter().enumerate().map(|(i, make)| {
        let (done, reading) = (done.clone(), &reading);
        async move {
            // The later ones join while everything moves: their snapshot meets the tail under load.
            tokio::time::sleep(Duration::from_millis(150 * i as u64)).await;
            judge(make().await, reading, done).await
        }
    });
    let verdicts = futures::future::join_all(judging).await;
    writing.await.unwrap();
    verdicts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_loses_and_doubles_nothing_and_keeps_the_order() {
    for seed in 0..3 {
        let hub = Hub::start().await;
        let followers: Vec<_> = (0..4)
            .map(|i| {
                let hub = &hub;
                async move || Watching::new(hub, seed * 10 + i).await
            })
            .collect();
        let verdicts = trial(&hub, seed, followers).await;
        assert!(hub.count("select count(*) from change_log").await > 1_000);
        assert!(verdicts.iter().all(|v| *v == Verdict::default()), "seed {seed}: {verdicts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_harness_catches_a_reader_that_trusts_the_sequence() {
    let hub = Hub::start().await;
    let pool = hub.db.pool().await;
    let verdicts = trial(&hub, 1, vec![async || Naive { pool: pool.clone(), last: 0 }]).await;
    assert!(verdicts[0].lost > 10, "a naive reader lost only {verdicts:?}");
}
