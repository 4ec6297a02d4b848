//! Rules that depend on the level of the school or of the grade, and on the school year of the push.
use crate::{
    hub::{Hub, SCHOOL, Setup},
    make::{self, Wrap},
    pushing::{batch, findings, patch, push, push_one},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::{Reason, Severity};
use eduhub_proto::{
    common::v1::{BatchReply, Level, PushOpen},
    registry::v1::{Pupil, Record},
};

/// The school is registered as this level.
fn at(level: Level) -> String {
    format!("update school set level = {} where school_code = '{SCHOOL}'", level as i32)
}

async fn hub_at(level: Level) -> Hub {
    let hub = Hub::start().await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(at(level))).execute(&hub.pool).await.unwrap();
    hub
}

/// A pupil who gets lunch, which is a field of preschool.
fn with_lunch() -> Record {
    Pupil { lunch_support: Some(true), ..make::pupil(1) }.wrap()
}

#[tokio::test]
async fn a_field_of_another_level_is_stored_with_a_warning() {
    let hub = hub_at(Level::LowerSecondary).await;
    let reply = push_one(&hub, SCHOOL, vec![with_lunch()]).await;
    assert_eq!(findings(&reply), [(Reason::NotAtLevel, "lunch_support".to_owned())]);
    assert_eq!(reply.problems[0].severity(), Severity::Warning);
    assert_eq!(reply.counts.unwrap().created, 1);
}

#[tokio::test]
async fn what_a_level_needs_is_missed_at_that_level() {
    let hub = hub_at(Level::Preschool).await;
    let reply = push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    let missing: Vec<_> = reply.problems.iter().filter(|p| p.reason() == Reason::Missing).collect();
    assert!(missing.iter().any(|p| p.field == "lunch_support"), "{missing:?}");
    assert!(missing.iter().all(|p| p.severity() == Severity::Warning), "{missing:?}");
    let reply = push_one(&hub, SCHOOL, vec![with_lunch()]).await;
    assert!(reply.problems.iter().all(|p| p.field != "lunch_support"), "{:?}", reply.problems);
}

/// The school is registered as lower secondary and has a kindergarten class: it is of both levels.
#[tokio::test]
async fn an_inter_level_school_is_of_the_levels_that_it_teaches() {
    let hub = hub_at(Level::LowerSecondary).await;
    let mut kindergarten = make::class("MG5");
    kindergarten.grade = "18".into();
    push_one(&hub, SCHOOL, vec![make::campus().wrap(), kindergarten.wrap()]).await;
    let reply = push_one(&hub, SCHOOL, vec![with_lunch()]).await;
    assert!(findings(&reply).iter().all(|(reason, _)| *reason != Reason::NotAtLevel), "{:?}", reply.problems);
}

async fn push_in(hub: &Hub, school_year: i32, record: Record) -> BatchReply {
    let open = PushOpen { school_year, ..patch(SCHOOL) };
    push(hub, &Persona::vendor(SCHOOL), open, vec![batch(1, vec![record])]).await.unwrap().0.remove(0)
}

/// Districts ended on 1 July 2025.
#[tokio::test]
async fn a_district_is_taken_in_the_years_that_had_districts() {
    let years = "insert into school_year values (2024, true)";
    let list = "insert into code values ('DM_HUYEN', '369', 'Thành phố Ninh Bình', null, '2025-06-30') on conflict do nothing";
    let hub = Hub::with(Setup { before: vec![years.into(), list.into()], ..Setup::default() }).await;
    let pupil = || Pupil { district_code: Some("369".into()), ..make::pupil(1) }.wrap();
    for year in [2025, 2026] {
        let reply = push_in(&hub, year, pupil()).await;
        assert_eq!(findings(&reply), [(Reason::RetiredField, "district_code".to_owned())], "{year}");
        assert_eq!(reply.counts.unwrap().rejected, 1);
    }
    let reply = push_in(&hub, 2024, pupil()).await;
    assert_eq!(findings(&reply), []);
    assert_eq!(reply.counts.unwrap().created, 1);
}
