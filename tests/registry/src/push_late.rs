//! Two schools whose batches run at once do not see each other; the end of the later session finds what they share.
use crate::{
    hub::{Hub, OTHER, SCHOOL, SOON},
    make::{self, Wrap},
    pushing::{Pushing, batch, end_of, patch, push_one},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::ListIssuesRequest,
    registry::v1::{Pupil, PushBatch, Record},
};
use eduhub_testkit::eventually;
use sqlx::{Connection, Executor, PgConnection};

/// One number on two pupils; one pupil under two codes, at one school without a number; one pupil in class at both.
fn of(school: &str) -> Vec<Record> {
    let first = school == SCHOOL;
    let other = if first { 0 } else { 10 };
    let number = (!first).then(|| make::personal_id(12));
    let named = |n: u32, name: &str| Pupil { full_name: name.into(), ..make::pupil(n) };
    let named = |n, name, number| Pupil {
        personal_id: number,
        mother_name: Some("Phạm Thị Lan".into()),
        ..named(n, name)
    };
    vec![
        named(1 + other, ["Đỗ Thị Hạnh", "Võ Thị Hằng"][usize::from(first)], Some(make::personal_id(1)))
            .wrap(),
        named(2 + other, ["Đặng Thị Hường", "Dang Thi Huong"][usize::from(first)], number).wrap(),
        make::pupil(30).wrap(),
        make::enrolment(30, "6A1").wrap(),
        // Namesakes who have numbers are two persons.
        named(4 + other, "Lê Thị Bình", Some(make::personal_id(4 + other))).wrap(),
        // Nothing to share, but something to be warned of: its issue is the last thing that a batch writes.
        Pupil {
            personal_id: None, ..named(5 + other, ["Hà Thị Na", "Hồ Thị Mơ"][usize::from(first)], None)
        }
        .wrap(),
    ]
}

async fn found(hub: &Hub, school: &str) -> Vec<(Reason, String)> {
    let request = ListIssuesRequest { school_code: school.into(), ..Default::default() };
    let open = hub.issues(&Persona::vendor(school)).list_issues(request).await.unwrap().into_inner().issues;
    let shared = [Reason::PersonalIdDuplicate, Reason::LikelyDuplicate, Reason::DoubleEnrolment];
    let problems = open.into_iter().map(|i| i.problem.unwrap()).filter(|p| shared.contains(&p.reason()));
    let mut found: Vec<_> = problems.map(|p| (p.reason(), p.record_key)).collect();
    found.sort_by(|a, b| a.1.cmp(&b.1));
    found
}

/// Sends a batch for each school so that both are looked through before either is committed.
async fn at_once(hub: &Hub) -> [(Pushing, PushBatch); 2] {
    for school in [SCHOOL, OTHER] {
        push_one(hub, school, vec![make::campus().wrap(), make::class("6A1").wrap()]).await;
    }
    let mut outside = PgConnection::connect(hub.db.url()).await.unwrap();
    let mut holding = outside.begin().await.unwrap();
    holding.execute("lock table data_issue in share mode").await.unwrap();
    let mut open = Vec::new();
    for school in [SCHOOL, OTHER] {
        let (pushing, _) = Pushing::open(hub.ingest(&Persona::vendor(school)), patch(school)).await.unwrap();
        let batch = batch(1, of(school));
        pushing.send(batch.clone()).await;
        open.push((pushing, batch));
    }
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    eventually(SOON, || async { (hub.count(waiting).await == 2).then_some(()) }).await;
    holding.rollback().await.unwrap();
    open.try_into().map_err(|_| "two").unwrap()
}

async fn end(hub: &Hub, sessions: [(Pushing, PushBatch); 2]) {
    for (mut pushing, batch) in sessions {
        let reply = pushing.reply().await.unwrap();
        assert_eq!(reply.counts.unwrap().created, 6, "{reply:?}");
        let shared = [Reason::PersonalIdDuplicate, Reason::LikelyDuplicate, Reason::DoubleEnrolment];
        assert!(
            reply.problems.iter().all(|p| !shared.contains(&p.reason())),
            "they saw each other: {reply:?}"
        );
        pushing.end(end_of(&[batch])).await.unwrap();
    }
    use Reason::{DoubleEnrolment, LikelyDuplicate, PersonalIdDuplicate};
    let place = |reason, key: &str| (reason, key.to_owned());
    let twin = found(hub, SCHOOL).await.iter().filter(|f| f.0 == PersonalIdDuplicate).count();
    assert_eq!(
        twin + found(hub, OTHER).await.iter().filter(|f| f.0 == PersonalIdDuplicate).count(),
        1,
        "the later one"
    );
    let others = |found: Vec<(Reason, String)>| -> Vec<_> {
        found.into_iter().filter(|f| f.0 != PersonalIdDuplicate).collect()
    };
    let expected = [place(LikelyDuplicate, "HS000002"), place(DoubleEnrolment, "QT000030")];
    assert_eq!(others(found(hub, SCHOOL).await), expected);
    let expected = [place(LikelyDuplicate, "HS000012"), place(DoubleEnrolment, "QT000030")];
    assert_eq!(others(found(hub, OTHER).await), expected);
}

#[tokio::test]
async fn what_two_schools_write_at_once_is_found_by_the_later_end() {
    let hub = Hub::start().await;
    let sessions = at_once(&hub).await;
    end(&hub, sessions).await;
}

/// A session of a release before marks, or one whose marks are gone: everything that it wrote is looked for again.
#[tokio::test]
async fn sessions_without_marks_find_it_too() {
    let hub = Hub::start().await;
    let sessions = at_once(&hub).await;
    let mut outside = PgConnection::connect(hub.db.url()).await.unwrap();
    outside.execute("update push_session set opened_xmin = null; delete from push_mark").await.unwrap();
    end(&hub, sessions).await;
}
