//! VALIDATE_ONLY over several batches: each is told as if those before it had been written, and nothing is.
use crate::{
    following::{Follower, Mirror},
    hub::{Hub, OTHER, SCHOOL},
    make::{self, Wrap},
    pushing::{batch, counted, findings, push, push_one, validate_only, withdraw},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{Kind, RootCause},
    registry::v1::{Enrolment, Record},
};
use sqlx::AssertSqlSafe;

/// Another enrolment of the pupil number 1, in a class.
fn another(n: u32, class: &str) -> Record {
    Enrolment { enrolment_id: format!("QT{n:06}"), ..make::enrolment(1, class) }.wrap()
}

fn blocking(class: &str, reason: Reason) -> RootCause {
    let (kind, record_key) = (Kind::Class as i32, format!("2026/{class}"));
    RootCause { kind, record_key, reason: reason as i32, blocked: 1 }
}

/// Every row of every table.
async fn everything(hub: &Hub) -> Vec<String> {
    let tables = "select tablename::text from pg_tables where schemaname = current_schema() order by 1";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&hub.pool).await.unwrap();
    assert!(tables.len() > 15, "{tables:?}");
    let mut all = Vec::new();
    for table in tables {
        let sql = format!("select format('%s %s', '{table}', t) from {table} t order by 1");
        let rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).fetch_all(&hub.pool).await;
        all.extend(rows.unwrap());
    }
    all
}

#[tokio::test]
async fn a_batch_may_name_what_earlier_ones_would_have_brought_and_nothing_of_it_stays() {
    let hub = Hub::start().await;
    push_one(&hub, OTHER, make::small_school(5..6)).await;
    push_one(&hub, SCHOOL, vec![make::staff(1).wrap()]).await;
    let mut copy = Mirror::default();
    let mut follower = Follower::open(&hub, &Persona::consumer(), vec![]).await;
    follower.catch_up(&mut copy).await.unwrap();
    let (before, seen) = (everything(&hub).await, copy.seen);

    let mut doubtful = make::pupil(2);
    doubtful.ethnicity = None;
    let batches = vec![
        batch(1, vec![make::campus().wrap(), make::class("6A1").wrap()]),
        batch(2, vec![make::pupil(1).wrap(), make::enrolment(1, "6A1").wrap(), another(9, "6Z9")]),
        // From two batches ago, and from the last one.
        batch(3, vec![another(2, "6A1"), doubtful.wrap()]),
    ];
    let (replies, receipt) =
        push(&hub, &Persona::vendor(SCHOOL), validate_only(SCHOOL), batches).await.unwrap();
    assert_eq!(counted(&replies[0].counts), [2, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(counted(&replies[1].counts), [2, 0, 0, 0, 1, 0, 0, 0], "pupil and enrolment; one held");
    assert_eq!(replies[1].root_causes, [blocking("6Z9", Reason::ParentMissing)]);
    assert_eq!(counted(&replies[2].counts), [2, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(findings(&replies[2]), [(Reason::Missing, "ethnicity".to_owned())]);
    assert_eq!(counted(&receipt.totals), [6, 0, 0, 0, 1, 0, 0, 1]);

    assert_eq!(everything(&hub).await, before, "rows, log, sessions, held records, issues");
    follower.catch_up(&mut copy).await.unwrap();
    assert_eq!(copy.seen, seen, "nothing in the feed");
}

#[tokio::test]
async fn what_was_refused_or_taken_away_again_is_no_parent() {
    let hub = Hub::start().await;
    let mut broken = make::class("6A2");
    broken.grade = "99".into();
    let batches = vec![
        batch(
            1,
            vec![make::campus().wrap(), make::class("6A1").wrap(), broken.wrap(), make::pupil(1).wrap()],
        ),
        batch(2, vec![another(2, "6A2")]),
        withdraw(3, vec![make::withdrawal(Kind::Class, "6A1")]),
        batch(4, vec![another(1, "6A1")]),
    ];
    let (replies, _) = push(&hub, &Persona::vendor(SCHOOL), validate_only(SCHOOL), batches).await.unwrap();
    assert_eq!(counted(&replies[0].counts), [3, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(counted(&replies[1].counts), [0, 0, 0, 0, 1, 0, 0, 0], "its class was refused");
    assert_eq!(replies[1].root_causes, [blocking("6A2", Reason::UnknownCode)], "and why");
    assert_eq!(counted(&replies[3].counts), [0, 0, 0, 0, 1, 0, 0, 0], "its class was withdrawn");
    assert_eq!(replies[3].root_causes, [blocking("6A1", Reason::ParentMissing)]);
}

#[tokio::test]
async fn what_waited_in_the_hub_and_would_have_been_admitted_is_a_parent() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::class("6A1").wrap(), make::pupil(1).wrap()]).await;
    let batches =
        vec![batch(1, vec![make::campus().wrap()]), batch(2, vec![make::enrolment(1, "6A1").wrap()])];
    let (replies, _) = push(&hub, &Persona::vendor(SCHOOL), validate_only(SCHOOL), batches).await.unwrap();
    assert_eq!(counted(&replies[0].counts), [1, 0, 0, 0, 0, 1, 0, 0], "campus; the class is admitted");
    assert_eq!(counted(&replies[1].counts), [1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(hub.count_of("held_record").await, 1, "it still waits");
}
