//! The database of a stack: a role reaches its own schema and nothing else, and nothing is left at the end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

use eduhub_stack::{Database, DatabaseName, Program, StackError};
use sqlx::{Connection, PgConnection};

/// The server that `scripts/test` starts.
fn server() -> String {
    std::env::var("EDUHUB_TEST_DATABASE_URL")
        .expect("EDUHUB_TEST_DATABASE_URL: run the tests by scripts/test")
}

async fn connect(database: &Database, service: Program) -> PgConnection {
    PgConnection::connect(database.url(service).unwrap()).await.unwrap()
}

async fn count(place: &str, name: &str) -> i64 {
    let mut connection = PgConnection::connect(&server()).await.unwrap();
    let query = format!("select count(*) from {place} like $1");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .bind(format!("{name}%"))
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

fn refusal(result: Result<impl std::fmt::Debug, sqlx::Error>) -> String {
    result.unwrap_err().into_database_error().unwrap().code().unwrap().into_owned()
}

const INSUFFICIENT_PRIVILEGE: &str = "42501";

#[tokio::test]
async fn a_role_owns_its_schema_and_reaches_no_other() {
    let database = Database::create(&server(), &DatabaseName::Fresh).await.unwrap();
    let mut registry = connect(&database, Program::Registry).await;
    sqlx::raw_sql("create table pupil (id int); insert into pupil values (7)")
        .execute(&mut registry)
        .await
        .unwrap();
    let schema: String =
        sqlx::query_scalar("select schemaname::text from pg_tables where tablename = 'pupil'")
            .fetch_one(&mut registry)
            .await
            .unwrap();
    assert_eq!(schema, "registry");
    sqlx::raw_sql("create temporary table staging (id int)").execute(&mut registry).await.unwrap();

    let mut bridge = connect(&database, Program::Bridge).await;
    for statement in [
        "select * from registry.pupil",
        "create table registry.mine (id int)",
        "create table public.mine (id int)",
        "create schema mine",
        "create role mine",
        "set role postgres",
    ] {
        let result = sqlx::raw_sql(statement).execute(&mut bridge).await;
        let code = refusal(result);
        // A server whose superuser is not called postgres answers that there is no such role.
        assert!(
            code == INSUFFICIENT_PRIVILEGE || (statement.starts_with("set role") && code == "22023"),
            "{statement}: {code}"
        );
    }
    bridge.close().await.unwrap();
    registry.close().await.unwrap();
    database.finish().await.unwrap();
}

#[tokio::test]
async fn finish_and_drop_both_leave_nothing() {
    for by_drop in [false, true] {
        let database = Database::create(&server(), &DatabaseName::Fresh).await.unwrap();
        let name = database.name().to_owned();
        assert_eq!(count("pg_roles where rolname", &name).await, 5);
        // An open connection does not hinder it.
        let _open = connect(&database, Program::Identity).await;
        if by_drop {
            drop(database)
        } else {
            database.finish().await.unwrap()
        }
        assert_eq!(count("pg_database where datname", &name).await, 0);
        assert_eq!(count("pg_roles where rolname", &name).await, 0);
    }
}

#[tokio::test]
async fn a_kept_database_keeps_its_data_and_gets_new_passwords() {
    let name = format!("kept_{}", std::process::id());
    let first = Database::create(&server(), &DatabaseName::Kept(name.clone())).await.unwrap();
    let mut registry = connect(&first, Program::Registry).await;
    sqlx::raw_sql("create table pupil (id int); insert into pupil values (7)")
        .execute(&mut registry)
        .await
        .unwrap();
    registry.close().await.unwrap();
    let old_url = first.url(Program::Registry).unwrap().to_owned();
    first.finish().await.unwrap();

    let second = Database::create(&server(), &DatabaseName::Kept(name.clone())).await.unwrap();
    assert_ne!(second.url(Program::Registry).unwrap(), old_url);
    let mut registry = connect(&second, Program::Registry).await;
    let id: i32 = sqlx::query_scalar("select id from pupil").fetch_one(&mut registry).await.unwrap();
    assert_eq!(id, 7);
    registry.close().await.unwrap();
    second.finish().await.unwrap();

    let error = Database::create(&server(), &DatabaseName::Named(name.clone())).await.unwrap_err();
    assert!(matches!(error, StackError::Database(_)), "a named one must be new: {error}");
    assert_eq!(count("pg_database where datname", &name).await, 1, "and takes none away that was there");

    let mut server = PgConnection::connect(&server()).await.unwrap();
    let mut statements = vec![format!("drop database {name} with (force)")];
    statements.extend(Program::SERVICES.map(|service| format!("drop role {name}_{service}")));
    for statement in statements {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut server).await.unwrap();
    }
}

#[tokio::test]
async fn a_name_that_would_need_quotes_is_refused() {
    for name in ["Eduhub", "x;drop", "1st", "", "a-b"] {
        let error = Database::create(&server(), &DatabaseName::Named(name.to_owned())).await.unwrap_err();
        assert!(matches!(error, StackError::DatabaseName(_)), "{name}: {error}");
    }
}
