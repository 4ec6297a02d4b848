//! The consumer's program: a copy in Postgres tables that is killed at any moment and stays exact.
use crate::{
    hub::{Hub, OTHER, SCHOOL, SOON},
    make::{self, Wrap},
    pushing::{push_one, withdraw_one},
};
use eduhub_auth::testing::Persona;
use eduhub_cli::{
    copy::{CopyError, Place, PostgresCopy, Scope},
    hub::Registry,
    server::{Proof, Server, Session},
    watch::{Event, WatchError, follow},
};
use eduhub_proto::common::v1::{Kind, SchoolDigestRequest, Sensitivity};
use eduhub_proto::registry::v1::Pupil;
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_testkit::{Database, eventually};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const SCHEMA: &str = "eduhub_copy";

fn centre() -> Persona {
    Persona::consumer().max_class(Sensitivity::Secret)
}

async fn server(hub: &Hub) -> Server {
    let url = hub.running.url();
    let token = hub.mint.token(&centre()).unwrap();
    let tls = ClientTls::default();
    let session = Session::sign_in(channel(&url, &tls).unwrap(), Proof::Token(token.into())).await.unwrap();
    Server::new(&url, tls, session)
}

/// Opens the copy as soon as the server has noticed that the one before is gone.
async fn open(db: &Database) -> PostgresCopy {
    eventually(SOON, || async {
        match PostgresCopy::open(db.url(), SCHEMA, &Scope::all("registry")).await {
            Ok(copy) => Some(copy),
            Err(CopyError::Followed(_)) => None,
            Err(other) => panic!("{other}"),
        }
    })
    .await
}

/// Follows until everything that was committed before the call is in the copy.
async fn catch_up(server: &Server, copy: &mut PostgresCopy) -> Result<usize, WatchError> {
    let (stop, now) = (CancellationToken::new(), time::OffsetDateTime::now_utc());
    let (mut calm, mut restarts) = (0, 0);
    follow::<Registry>(server, copy, &stop.clone(), |event| match event {
        Event::Checkpoint(c) => {
            let later = eduhub_ingest::from_proto(&c.server_time.unwrap()) > now;
            calm = if c.live && c.lag_ms == 0 && later { calm + 1 } else { 0 };
            if calm == 2 {
                stop.cancel();
            }
        }
        Event::Restarted(_) => restarts += 1,
        _ => calm = 0,
    })
    .await?;
    Ok(restarts)
}

async fn equals_the_hub(hub: &Hub, copy: &mut PostgresCopy) {
    let mut live = 0;
    for school in [SCHOOL, OTHER] {
        let request = SchoolDigestRequest { school_code: school.into() };
        let theirs = hub.seals(&centre()).get_school_digest(request).await.unwrap().into_inner();
        let ours = copy.digest_of(school).await.unwrap();
        assert_eq!(hex::encode(ours.digest), hex::encode(theirs.digest), "{school}");
        let counts = theirs.counts.into_iter().filter(|c| c.count > 0).collect::<Vec<_>>();
        assert_eq!(ours.counts, counts);
        live += counts.iter().map(|c| c.count).sum::<u64>();
    }
    assert_eq!(copy.records(), live);
}

/// Both schools change at random: new, changed, withdrawn and revived pupils.
async fn write(hub: &Hub, rounds: u64, seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for round in 0..rounds {
        for school in [SCHOOL, OTHER] {
            let place = format!("Xã {round}");
            let pupils: Vec<_> = (0..random.random_range(1..60))
                .map(|_| random.random_range(1..200))
                .collect::<std::collections::BTreeSet<u32>>()
                .into_iter()
                .map(|n| {
                    Pupil { birth_place: Some(place.clone()), personal_id: None, ..make::pupil(n) }.wrap()
                })
                .collect();
            push_one(hub, school, pupils).await;
            let gone = make::withdrawal(Kind::Pupil, &make::code(random.random_range(1..200)));
            withdraw_one(hub, school, vec![gone]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_in_tables_survives_a_kill_at_any_moment() {
    let (hub, db) = (Hub::start().await, Database::create("copy").await);
    push_one(&hub, SCHOOL, (1..400).map(|n| make::pupil(n).wrap()).collect()).await;
    let server = server(&hub).await;
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let writing = write(&hub, 25, 7);
    let mut kills = 0;
    let killing = async {
        loop {
            let mut copy = open(&db).await;
            let life = Duration::from_micros(random.random_range(500..60_000));
            let stop = CancellationToken::new();
            // Dropped wherever it is: between messages, within a statement, before or after a commit.
            let outcome =
                tokio::time::timeout(life, follow::<Registry>(&server, &mut copy, &stop, |_| {})).await;
            assert!(outcome.is_err(), "it ended by itself: {outcome:?}");
            kills += 1;
        }
    };
    tokio::select! {
        () = writing => {}
        () = killing => {}
    }
    let mut copy = open(&db).await;
    assert_eq!(catch_up(&server, &mut copy).await.unwrap(), 0, "no cursor was ever lost");
    equals_the_hub(&hub, &mut copy).await;
    assert!(kills >= 10, "only {kills} kills");

    // What the centre's people read: a column for each field, the live records only.
    let pool = db.pool().await;
    let sql = "select count(*), count(*) filter (where student_code = hub_key and full_name is not null) from eduhub_copy.pupil";
    let (all, whole): (i64, i64) = sqlx::query_as(sql).fetch_one(&pool).await.unwrap();
    assert_eq!((all, whole as u64), (whole, copy.records()));
}

#[tokio::test]
async fn a_new_beginning_keeps_the_old_rows_readable_until_it_is_complete() {
    let (hub, db) = (Hub::start().await, Database::create("copy").await);
    push_one(&hub, SCHOOL, (1..40).map(|n| make::pupil(n).wrap()).collect()).await;
    let server = server(&hub).await;
    let mut copy = open(&db).await;
    catch_up(&server, &mut copy).await.unwrap();
    assert!(copy.is_live());
    drop(copy);

    // The hub was restored from a backup in which one pupil had never come: the copy has a record too many.
    let pool = db.pool().await;
    let ghost = "insert into eduhub_copy.record select service, school_code, kind, 'GHOST', gen_random_uuid(), version, digest,
      withdrawn, changed_at, generation, data, image from eduhub_copy.record limit 1";
    sqlx::query(ghost).execute(&pool).await.unwrap();
    sqlx::query("update feed_state set epoch = epoch + 1").execute(&hub.pool).await.unwrap();
    let ghosts = async || -> i64 {
        let sql = "select count(*) from eduhub_copy.record where record_key = 'GHOST'";
        sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap()
    };
    // Restored in the middle of a life of the service: its caches hold pages of the other epoch.
    let mut copy = open(&db).await;
    copy.reset().await.unwrap();
    assert_eq!((copy.cursor(), ghosts().await), (None, 1), "readable until the snapshot is complete");
    catch_up(&server, &mut copy).await.unwrap();
    assert_eq!(ghosts().await, 0);
    equals_the_hub(&hub, &mut copy).await;
}

#[tokio::test]
async fn one_process_one_scope_and_no_newer_tables() {
    let db = Database::create("copy").await;
    let copy = open(&db).await;
    let again = PostgresCopy::open(db.url(), SCHEMA, &Scope::all("registry")).await.map(drop);
    assert!(matches!(again, Err(CopyError::Followed(_))), "{again:?}");
    // Facility beside it, and registry in another schema.
    PostgresCopy::open(db.url(), SCHEMA, &Scope::all("facility")).await.map(drop).unwrap();
    PostgresCopy::open(db.url(), "another", &Scope::all("registry")).await.map(drop).unwrap();
    let odd = PostgresCopy::open(db.url(), "x; drop", &Scope::all("registry")).await.map(drop);
    assert!(matches!(odd, Err(CopyError::BadSchema)), "{odd:?}");
    drop(copy);
    let narrower = Scope { kinds: vec![Kind::Class as i32], ..Scope::all("registry") };
    let other = eventually(SOON, || async {
        match PostgresCopy::open(db.url(), SCHEMA, &narrower).await.map(drop) {
            Err(CopyError::Followed(_)) => None,
            outcome => Some(outcome),
        }
    })
    .await;
    assert!(matches!(other, Err(CopyError::OtherTables { .. })), "{other:?}");
    let pool = db.pool().await;
    sqlx::query("insert into another.version values (99)").execute(&pool).await.unwrap();
    let newer = eventually(SOON, || async {
        match PostgresCopy::open(db.url(), "another", &Scope::all("registry")).await.map(drop) {
            Err(CopyError::Followed(_)) => None,
            outcome => Some(outcome),
        }
    })
    .await;
    assert!(matches!(newer, Err(CopyError::NewerTables(99))), "{newer:?}");
}
