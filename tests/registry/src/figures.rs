//! Figures that registry has of its database.
use crate::{
    hub::{Hub, SCHOOL, SOON},
    make,
    pushing::push_one,
};
use eduhub_auth::testing::Persona;
use eduhub_feed::metrics::{OLDEST_TRANSACTION, SUBSCRIPTION_LAG};
use eduhub_pg::{DbError, DbSettings, Figure, PgPool, Question, ask};
use eduhub_proto::common::v1::CreateSubscriptionRequest;
use eduhub_registry::metrics::{BACKLOG, SCHOOLS, questions};
use eduhub_runtime::meter::Metric;
use std::time::Duration;
use tokio::time::Instant;

fn question(metric: Metric) -> Question {
    questions().into_iter().find(|q| q.metrics.contains(&metric)).unwrap()
}

async fn figures(pool: &PgPool, metric: Metric) -> Vec<Figure> {
    ask(pool, &mut question(metric)).await.unwrap()
}

#[tokio::test]
async fn a_consumer_that_stays_away_is_shown_with_its_name_and_age() {
    let hub = Hub::start().await;
    assert_eq!(figures(&hub.pool, SUBSCRIPTION_LAG).await, []);
    let ioc = Persona::consumer();
    let request = CreateSubscriptionRequest { name: "ioc".into(), ..Default::default() };
    hub.feed(&ioc).create_subscription(request).await.unwrap();
    push_one(&hub, SCHOOL, make::small_school(1..4)).await;
    let shown = figures(&hub.pool, SUBSCRIPTION_LAG).await;
    let [lag] = shown.as_slice() else { panic!("{shown:?}") };
    assert!(lag.value > 0.0, "{lag:?}");
    let labels: Vec<_> = lag.labels.iter().map(|l| (l.key.as_str(), l.value.as_str().into_owned())).collect();
    assert_eq!(labels, [("owner", ioc.0.sub.clone()), ("subscription", "ioc".to_owned())]);

    let end = "update feed_subscription set (xid, seq) = (select xid, seq from change_log order by xid desc, seq desc limit 1)";
    sqlx::query(end).execute(&hub.pool).await.unwrap();
    assert_eq!(figures(&hub.pool, SUBSCRIPTION_LAG).await[0].value, 0.0);
}

#[tokio::test]
async fn backlog_and_schools_are_counted() {
    let hub = Hub::start().await;
    assert_eq!(figures(&hub.pool, BACKLOG).await[0].value, 0.0);
    let persons = "insert into verification (record_id, school_code, kind, record_key, state)
                   select gen_random_uuid(), 'x', 4, n::text, case when n > 5 then 2 else 1 end from generate_series(1, 7) n";
    sqlx::query(persons).execute(&hub.pool).await.unwrap();
    assert_eq!(figures(&hub.pool, BACKLOG).await[0].value, 5.0);
    assert_eq!(figures(&hub.pool, SCHOOLS).await.iter().map(|f| f.value).sum::<f64>(), 2.0);
}

/// A service's role sees of other roles' transactions only that the horizon stands still.
#[tokio::test]
async fn a_transaction_of_another_role_grows_old() {
    let hub = Hub::start().await;
    let settings = DbSettings::for_url(hub.db.role_url("figures").await, "figures");
    let service = eduhub_pg::connect(&settings).await.unwrap();
    let mut stranger = hub.pool.begin().await.unwrap();
    sqlx::query("select pg_current_xact_id()").execute(&mut *stranger).await.unwrap();
    // One question over all looks: it remembers when the horizon began to stand.
    let mut oldest = question(OLDEST_TRANSACTION);
    let until = Instant::now() + SOON;
    loop {
        // Older transactions of other tests end meanwhile; ours stays.
        let seen = ask(&service, &mut oldest).await.unwrap();
        if seen[0].value > 0.3 {
            break;
        }
        assert!(Instant::now() < until, "{seen:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stranger.rollback().await.unwrap();
    service.close().await;
}

#[tokio::test]
async fn a_question_that_takes_too_long_is_given_up() {
    let hub = Hub::start().await;
    let sql = "select pg_sleep(30)".to_owned();
    let mut slow = Question { metrics: &[BACKLOG], sql, read: Box::new(|_| Ok(vec![])) };
    assert!(matches!(ask(&hub.pool, &mut slow).await, Err(DbError::TooLong)));
    assert_eq!(figures(&hub.pool, BACKLOG).await.len(), 1, "the pool is as good as before");
}
