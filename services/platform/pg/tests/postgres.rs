//! The platform's Postgres rules against a real server. Each test has a database of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use eduhub_pg::{
    DbError, DbSettings, Migrator, PgConnection, PgPool, RetryCause, SchemaError, Standing, check_schema,
    connect, in_tx, is_up, migrate,
};
use sqlx::{AssertSqlSafe, Connection, Executor};

const LIMIT: Duration = Duration::from_secs(5);

fn server_url() -> String {
    std::env::var("EDUHUB_TEST_DATABASE_URL").expect(
        "EDUHUB_TEST_DATABASE_URL must name a Postgres server and a superuser for tests, such as \
         postgres://postgres@127.0.0.1:5433/postgres (scripts/test sets it)",
    )
}

async fn settings() -> DbSettings {
    let name = format!("pg_test_{}", uuid::Uuid::new_v4().simple());
    let mut admin = PgConnection::connect(&server_url()).await.unwrap();
    admin.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
    let (server, _) = server_url().rsplit_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    DbSettings::for_url(format!("{server}/{name}"), "eduhub-pg-test")
}

async fn pool() -> PgPool {
    let pool = connect(&settings().await).await.unwrap();
    pool.execute("create table person (id int primary key, code text constraint person_code unique)")
        .await
        .unwrap();
    pool
}

async fn insert(conn: &mut PgConnection, id: i32, code: &str) -> Result<(), DbError> {
    sqlx::query("insert into person values ($1, $2)").bind(id).bind(code).execute(conn).await?;
    Ok(())
}

async fn count(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from person").fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn no_connection_of_the_pool_waits_for_acknowledgements() {
    let settings = settings().await;
    let pool = connect(&settings).await.unwrap();
    let _both = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    let port = pool.connect_options().get_port();
    assert_eq!(eduhub_nodelay::on_connections_to(port).unwrap(), 0, "each had it taken off when it was made");
    let _bare = PgConnection::connect_with(&pool.connect_options()).await.unwrap();
    assert_eq!(
        eduhub_nodelay::on_connections_to(port).unwrap(),
        1,
        "the driver leaves it on: else decision 0020 has had its time"
    );
}

#[tokio::test]
async fn commits_on_ok_and_rolls_back_on_error() {
    let pool = pool().await;
    in_tx(&pool, LIMIT, |conn| Box::pin(insert(conn, 1, "a"))).await.unwrap();
    assert_eq!(count(&pool).await, 1);
    let failed: Result<(), DbError> = in_tx(&pool, LIMIT, |conn| {
        Box::pin(async move {
            insert(conn, 2, "b").await?;
            insert(conn, 3, "a").await
        })
    })
    .await;
    assert!(failed.unwrap_err().is_unique("person_code"));
    assert_eq!(count(&pool).await, 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_neither_cuts_nor_poisons() {
    let mut settings = settings().await;
    settings.max_connections = 1; // the next user of the pool gets the very connection
    let pool = connect(&settings).await.unwrap();
    pool.execute("create table person (id int primary key, code text)").await.unwrap();
    for id in 0..20 {
        let work = in_tx(&pool, LIMIT, move |conn| {
            Box::pin(async move {
                insert(conn, id, "x").await?;
                sqlx::query("select pg_sleep(0.005)").execute(conn).await?;
                Ok::<_, DbError>(())
            })
        });
        // Gone after 0 to 3.8 ms: during acquire, BEGIN, or the work.
        let _ = tokio::time::timeout(Duration::from_micros(200 * u64::try_from(id).unwrap()), work).await;
    }
    let until = Instant::now() + LIMIT;
    while count(&pool).await < 20 {
        assert!(Instant::now() < until, "a transaction was cut: {} of 20", count(&pool).await);
    }
    let state: bool =
        sqlx::query_scalar("select pg_current_xact_id_if_assigned() is null").fetch_one(&pool).await.unwrap();
    assert!(state, "the connection was left in a transaction");
}

#[tokio::test]
async fn a_transaction_above_its_limit_is_ended_on_the_server_too() {
    let pool = pool().await;
    let began = Instant::now();
    let outcome: Result<(), DbError> = in_tx(&pool, Duration::from_millis(300), |conn| {
        Box::pin(async move {
            insert(conn, 1, "a").await?;
            sqlx::query("select pg_sleep(15)").execute(conn).await?;
            Ok(())
        })
    })
    .await;
    assert!(matches!(outcome, Err(DbError::TooLong)), "{outcome:?}");
    assert!(began.elapsed() < Duration::from_secs(2));
    let running = "select count(*) from pg_stat_activity where datname = current_database() and query like '%pg_sleep(15)%' and pid <> pg_backend_pid()";
    while sqlx::query_scalar::<_, i64>(running).fetch_one(&pool).await.unwrap() > 0 {
        assert!(began.elapsed() < Duration::from_secs(5), "the statement still runs on the server");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count(&pool).await, 0);
}

#[tokio::test]
async fn the_callers_deadline_bounds_the_transaction() {
    let pool = pool().await;
    let began = Instant::now();
    let outcome = eduhub_runtime::deadline::within(Duration::from_millis(200), async {
        let work: Result<(), DbError> = in_tx(&pool, LIMIT, |conn| {
            Box::pin(async move {
                insert(conn, 1, "a").await?;
                sqlx::query("select pg_sleep(10)").execute(conn).await?;
                Ok(())
            })
        })
        .await;
        work
    })
    .await;
    assert!(matches!(outcome, None | Some(Err(DbError::TooLong))), "{outcome:?}");
    // The row is locked until the server gives the transaction up; writing it again waits for that.
    in_tx(&pool, LIMIT, |conn| Box::pin(insert(conn, 1, "a"))).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_panic_in_the_work_rolls_back_and_is_an_error() {
    let pool = pool().await;
    let outcome: Result<(), DbError> = in_tx(&pool, LIMIT, |conn| {
        Box::pin(async move {
            insert(conn, 1, "a").await?;
            panic!("a defect");
        })
    })
    .await;
    assert!(matches!(outcome, Err(DbError::Other(_))));
    assert_eq!(count(&pool).await, 0);
    in_tx(&pool, LIMIT, |conn| Box::pin(insert(conn, 1, "a"))).await.unwrap();
}

#[tokio::test]
async fn connections_carry_the_limits_and_the_schema() {
    let mut settings = settings().await;
    settings.schema = Some("registry".into());
    let pool = connect(&settings).await.unwrap();
    let show = async |name: &'static str| -> String {
        sqlx::query_scalar("select current_setting($1)").bind(name).fetch_one(&pool).await.unwrap()
    };
    assert_eq!(show("statement_timeout").await, "20s");
    assert_eq!(show("lock_timeout").await, "5s");
    assert_eq!(show("idle_in_transaction_session_timeout").await, "15s");
    assert_eq!(show("application_name").await, "eduhub-pg-test");
    assert_eq!(show("search_path").await, "registry,public");
    settings.schema = Some("x; drop table person".into());
    assert!(matches!(connect(&settings).await, Err(SchemaError::Settings(_))));
}

#[tokio::test]
async fn failures_say_what_they_mean_and_never_the_value() {
    let pool = pool().await;
    let secret = "001099012345";
    in_tx(&pool, LIMIT, move |conn| Box::pin(insert(conn, 1, secret))).await.unwrap();
    let run = async |sql: &'static str| DbError::from(pool.execute(sql).await.unwrap_err());
    let unique = run("insert into person values (2, '001099012345')").await;
    assert!(unique.is_unique("person_code") && !unique.is_retryable());
    let cases = [
        unique,
        run("insert into person values (1, 'other 001099012345')").await,
        run("select '001099012345x'::int").await,
        run("select '001099012345x'::uuid").await,
        run("insert into person values (null, '001099012345')").await,
    ];
    for error in cases {
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
    assert!(run("select nothing_like_it from person").await.to_string().contains("nothing_like_it"));
    let none = sqlx::query("select 1 from person where id = 99").fetch_one(&pool).await.unwrap_err();
    assert!(matches!(DbError::from(none), DbError::NoRow));
    assert!(matches!(run("set statement_timeout = 50; select pg_sleep(3)").await, DbError::TooLong));
}

#[tokio::test]
async fn losing_against_another_transaction_is_retryable() {
    let pool = pool().await;
    in_tx(&pool, LIMIT, |conn| Box::pin(insert(conn, 1, "a"))).await.unwrap();
    let mut holder = pool.begin().await.unwrap();
    holder.execute("select * from person where id = 1 for update").await.unwrap();
    let error = DbError::from(pool.execute("select * from person for update nowait").await.unwrap_err());
    assert!(matches!(error, DbError::Retry(RetryCause::LockTimeout)) && error.is_retryable());
}

#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let options = sqlx::postgres::PgPoolOptions::new().acquire_timeout(Duration::from_millis(300));
    let pool = options.connect_lazy(&format!("postgres://x@{free}/x")).unwrap();
    assert!(!is_up(&pool).await);
    let outcome: Result<(), DbError> = in_tx(&pool, LIMIT, |conn| Box::pin(insert(conn, 1, "a"))).await;
    assert!(outcome.unwrap_err().is_unavailable());
    let bad = connect(&DbSettings::for_url("mysql://u:geheim@h/d", "x")).await.unwrap_err();
    assert!(matches!(bad, SchemaError::Settings(_)) && !bad.to_string().contains("geheim"));
    assert!(is_up(&connect(&settings().await).await.unwrap()).await);
}

fn migrator(statements: &[&'static str]) -> Migrator {
    let files: Vec<_> = statements.iter().zip(1..).map(|(sql, version)| (version, "step", *sql)).collect();
    eduhub_pg::migrator(&files)
}

const ONE: &str = "create table one (id int)";
const TWO: &str = "create table two (id int)";

#[tokio::test]
async fn a_binary_refuses_a_schema_that_is_not_made_for_it() {
    let pool = pool().await;
    let (old, new) = (migrator(&[ONE]), migrator(&[ONE, TWO]));
    assert!(matches!(check_schema(&pool, &old).await, Err(SchemaError::Older { missing: 1 })));
    migrate(&pool, &old).await.unwrap();
    check_schema(&pool, &old).await.unwrap();
    assert!(matches!(check_schema(&pool, &new).await, Err(SchemaError::Older { missing: 2 })));
    migrate(&pool, &new).await.unwrap();
    migrate(&pool, &new).await.unwrap();
    check_schema(&pool, &new).await.unwrap();
    assert!(matches!(
        check_schema(&pool, &old).await,
        Err(SchemaError::Newer { database: 2, binary: 1, needs: 2 })
    ));
    assert!(matches!(
        migrate(&pool, &old).await,
        Err(SchemaError::Newer { database: 2, binary: 1, needs: 2 })
    ));
    let edited = migrator(&["create table one (id bigint)", TWO]);
    assert!(matches!(check_schema(&pool, &edited).await, Err(SchemaError::Changed(1))));
    assert!(matches!(migrate(&pool, &edited).await, Err(SchemaError::Changed(1))));
}

/// Expand: whoever knows migration 1 runs on.
const EXPAND: &str = "-- oldest-binary: 1\nalter table one add column note text";
/// Contract: only whoever knows migration 2 does.
const CONTRACT: &str = "-- oldest-binary: 2\nalter table one drop column id";

#[tokio::test]
async fn a_binary_runs_on_a_newer_schema_that_says_so() {
    let pool = pool().await;
    let (old, new, last) = (migrator(&[ONE]), migrator(&[ONE, EXPAND]), migrator(&[ONE, EXPAND, CONTRACT]));
    assert_eq!(migrate(&pool, &old).await.unwrap(), Standing::Current);
    assert_eq!(migrate(&pool, &new).await.unwrap(), Standing::Current);
    assert_eq!(check_schema(&pool, &new).await.unwrap(), Standing::Current);
    // The old one goes on, and a rollback's migration finds nothing to do.
    assert_eq!(check_schema(&pool, &old).await.unwrap(), Standing::Ahead);
    assert_eq!(migrate(&pool, &old).await.unwrap(), Standing::Ahead);
    assert_eq!(check_schema(&pool, &new).await.unwrap(), Standing::Current);

    migrate(&pool, &last).await.unwrap();
    assert_eq!(check_schema(&pool, &new).await.unwrap(), Standing::Ahead);
    for refused in [check_schema(&pool, &old).await, migrate(&pool, &old).await] {
        let error = refused.unwrap_err();
        assert!(matches!(error, SchemaError::Newer { database: 3, binary: 1, needs: 2 }), "{error}");
        assert!(error.to_string().contains("knows up to 1"), "{error}");
    }
    // Its own migrations are checked all the same.
    let edited = migrator(&["create table one (id bigint)", EXPAND]);
    assert!(matches!(check_schema(&pool, &edited).await, Err(SchemaError::Changed(1))));
}

#[tokio::test]
async fn an_index_that_was_left_unfinished_is_built_anew() {
    let pool = pool().await;
    let index = "-- no-transaction\n-- oldest-binary: 1\ncreate index concurrently if not exists person_of on person (code)";
    let all = migrator(&[ONE, index]);
    // A transaction that is older than the index, and open for longer than one try waits for it.
    let mut reader = pool.begin().await.unwrap();
    reader.execute("insert into person values (9, 'z')").await.unwrap();
    let release = async {
        tokio::time::sleep(Duration::from_millis(2_600)).await;
        reader.commit().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(migrate(&pool, &all), release);
    assert_eq!(outcome.unwrap(), Standing::Current);
    let valid: Vec<bool> =
        sqlx::query_scalar("select indisvalid from pg_index where indexrelid = 'person_of'::regclass")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(valid, [true]);
}

#[tokio::test]
async fn migrations_make_the_schema_and_replicas_wait_for_each_other() {
    let mut settings = settings().await;
    settings.schema = Some("registry".into());
    let pool = connect(&settings).await.unwrap();
    let all = migrator(&["create table one (id int); select pg_sleep(0.3)", TWO]);
    let (a, b, c) = tokio::join!(migrate(&pool, &all), migrate(&pool, &all), migrate(&pool, &all));
    assert!(a.is_ok() && b.is_ok() && c.is_ok(), "{a:?} {b:?} {c:?}");
    check_schema(&pool, &all).await.unwrap();
    let tables: i64 = sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'registry'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(tables, 3);
}

#[tokio::test]
async fn a_migration_lets_go_of_a_lock_it_cannot_have_and_tries_again() {
    let pool = pool().await;
    let mut reader = pool.begin().await.unwrap();
    reader.execute("select * from person").await.unwrap();
    let change = migrator(&["alter table person add column born date"]);
    let release = async {
        // Longer than one try: the first ones give up. Meanwhile others read on once it has.
        tokio::time::sleep(Duration::from_millis(2_600)).await;
        reader.rollback().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(migrate(&pool, &change), release);
    outcome.unwrap();
    check_schema(&pool, &change).await.unwrap();
}

#[tokio::test]
async fn a_failing_migration_is_named_and_blocks_nobody() {
    let pool = pool().await;
    let error = migrate(&pool, &migrator(&[ONE, "create table broken (id nonsense)"])).await.unwrap_err();
    assert!(
        matches!(&error, SchemaError::Migration(text) if text.contains("2:") && text.contains("nonsense")),
        "{error}"
    );
    let fixed = migrator(&[ONE, TWO]);
    migrate(&pool, &fixed).await.unwrap();
    check_schema(&pool, &fixed).await.unwrap();
}
