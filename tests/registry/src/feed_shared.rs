//! One reader for all: many consumers cost the database what one costs; and processes wake each other.
use crate::{
    following::{Follower, Got, Mirror},
    hub::{Hub, SCHOOL, SOON, Setup},
    make::{self, Wrap},
    pushing::push_one,
};
use eduhub_auth::testing::Persona;
use eduhub_feed::FeedLimits;
use eduhub_testkit::eventually;
use futures::future::join_all;
use sqlx::{Connection, PgConnection};
use std::time::Duration;
use tokio::time::Instant;

/// Ends a process and its connections, which tell what they did when they end; gives the rows that were fetched from the log
/// and the records until now, by Postgres' own counting.
async fn fetched_when_over(hub: Hub) -> i64 {
    let db = hub.end().await;
    let mut conn = PgConnection::connect(db.url()).await.unwrap();
    let sql = "select count(*) from pg_stat_activity where datname = current_database()";
    loop {
        let open: i64 = sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap();
        if open == 1 {
            break;
        }
    }
    let sql =
        "select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int8 from pg_stat_user_tables
         where relname in ('change_log', 'pupil_record')";
    sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap()
}

/// Rows that a new process fetches for consumers who all begin at a cursor: a piece of the log, then what comes.
async fn cost(consumers: usize, snapshot: bool) -> i64 {
    let writer = Hub::start().await;
    let mut mirror = Mirror::default();
    let begin =
        Follower::open(&writer, &Persona::consumer(), vec![]).await.catch_up(&mut mirror).await.unwrap();
    for b in 0..8 {
        push_one(&writer, SCHOOL, (0..1_000).map(|i| make::pupil(b * 1_000 + i).wrap()).collect()).await;
    }
    // One and eight by the same plans: a page is an eighth of this small table, and each connection would make its first plans for
    // the page at hand and read the table whole, so that the rows told the number of connections.
    sqlx::query("analyze pupil_record, change_log").execute(&writer.pool).await.unwrap();
    let same = "do $$ begin execute format('alter database %I set plan_cache_mode = force_generic_plan', current_database()); end $$";
    sqlx::query(same).execute(&writer.pool).await.unwrap();
    let (db, vault, mint) = (writer.db.clone(), writer.vault.clone(), writer.mint.clone());
    let before = fetched_when_over(writer).await;
    let reader = Hub::again(db, vault, mint).await;
    let cursor = if snapshot { vec![] } else { begin };
    let consumer = Persona::consumer();
    let opening = (0..consumers).map(|_| Follower::open(&reader, &consumer, cursor.clone()));
    let mut streams = join_all(opening).await;
    let mut copies: Vec<Mirror> = (0..consumers).map(|_| Mirror::default()).collect();
    let following = streams.iter_mut().zip(&mut copies).map(|(stream, copy)| stream.catch_up(copy));
    join_all(following).await.into_iter().for_each(|end| drop(end.unwrap()));
    assert!(copies.iter().all(|c| (c.records.len(), c.repeated) == (8_000, 0)));
    drop(streams);
    fetched_when_over(reader).await - before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_consumers_cost_the_database_what_one_costs() {
    for snapshot in [false, true] {
        let (one, eight) = (cost(1, snapshot).await, cost(8, snapshot).await);
        assert!(one >= 8_000, "{one} rows: it did not count");
        assert!(eight * 10 <= one * 13, "snapshot {snapshot}: one {one} rows, eight {eight}");
    }
}

#[tokio::test]
async fn a_commit_in_one_process_wakes_the_streams_of_another() {
    // Nobody would look for a minute by himself.
    let feed = FeedLimits { poll: Duration::from_secs(60), ..Setup::default().feed };
    let writer = Hub::with(Setup { feed, ..Setup::default() }).await;
    let reader = Hub::serve(
        writer.db.clone(),
        writer.vault.clone(),
        writer.mint.clone(),
        Setup { feed, ..Setup::default() },
    )
    .await;
    let mut stream = Follower::open(&reader, &Persona::consumer(), vec![]).await;
    // Also the first of them: the listener may be at its start when the stream is open, so it is tried until one is heard.
    let heard = async |n: u32| {
        push_one(&writer, SCHOOL, vec![make::pupil(n).wrap()]).await;
        n
    };
    let first = eventually(SOON, || async {
        let mut probe = Follower::open(&reader, &Persona::consumer(), vec![]).await;
        heard(1_000 + rand::random_range(0..100_000)).await;
        let next = tokio::time::timeout(Duration::from_millis(500), probe.next()).await;
        matches!(next, Ok(Ok(Got::Changes(..)))).then_some(())
    });
    first.await;
    for n in 1..20 {
        let began = Instant::now();
        heard(n).await;
        loop {
            let Got::Changes(changes, _) = stream.next().await.unwrap() else { continue };
            if changes.iter().any(|c| c.header.as_ref().unwrap().record_key == make::code(n)) {
                break;
            }
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
}
