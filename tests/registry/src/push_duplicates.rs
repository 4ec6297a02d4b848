//! One personal ID on two persons, within a school and across schools.
use crate::{
    hub::{Hub, OTHER, SCHOOL},
    make::{self, Wrap},
    pushing::{Pushing, batch, counted, end_of, patch, push_one},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{common::v1::ListIssuesRequest, registry::v1::Pupil};

fn twin(n: u32, id_of: u32) -> Pupil {
    Pupil { personal_id: Some(make::personal_id(id_of)), ..make::pupil(n) }
}

/// Keys of the open duplicate issues of a school.
async fn duplicates(hub: &Hub, school: &str) -> Vec<String> {
    let request = ListIssuesRequest { school_code: school.into(), ..Default::default() };
    let open = hub.issues(&Persona::vendor(school)).list_issues(request).await.unwrap().into_inner().issues;
    let problems = open.into_iter().map(|i| i.problem.unwrap());
    problems.filter(|p| p.reason() == Reason::PersonalIdDuplicate).map(|p| p.record_key).collect()
}

#[tokio::test]
async fn the_later_of_two_in_one_batch_is_warned_of() {
    let hub = Hub::start().await;
    let records =
        vec![make::staff(1).wrap(), make::pupil(1).wrap(), make::pupil(3).wrap(), twin(2, 1).wrap()];
    let reply = push_one(&hub, SCHOOL, records).await;
    assert_eq!(counted(&reply.counts), [4, 0, 0, 0, 0, 0, 0, 1]);
    let p = &reply.problems[0];
    assert_eq!((p.reason(), p.record_key.as_str()), (Reason::PersonalIdDuplicate, "HS000002"));
    assert_eq!((p.value.as_str(), p.index), ("", Some(3)));
    assert_eq!(duplicates(&hub, SCHOOL).await, ["HS000002"]);
}

#[tokio::test]
async fn the_later_of_two_schools_is_warned_of_and_mending_either_closes_it() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap(), make::pupil(5).wrap()]).await;
    let reply = push_one(&hub, OTHER, vec![twin(2, 1).wrap(), twin(6, 5).wrap()]).await;
    assert_eq!(counted(&reply.counts)[7], 2);
    assert_eq!((duplicates(&hub, SCHOOL).await.len(), duplicates(&hub, OTHER).await.len()), (0, 2));

    push_one(&hub, OTHER, vec![make::pupil(2).wrap()]).await;
    assert_eq!(duplicates(&hub, OTHER).await, ["HS000006"], "mended by the later");
    push_one(&hub, SCHOOL, vec![twin(5, 77).wrap()]).await;
    assert_eq!(duplicates(&hub, OTHER).await, [] as [String; 0], "mended by the earlier");
}

#[tokio::test]
async fn taking_the_number_away_closes_it() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap(), twin(2, 1).wrap()]).await;
    let without = Pupil { personal_id: None, ..make::pupil(2) };
    push_one(&hub, SCHOOL, vec![without.wrap()]).await;
    assert_eq!(duplicates(&hub, SCHOOL).await, [] as [String; 0]);
}

#[tokio::test]
async fn a_number_that_moves_on_is_warned_of_at_its_new_place() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap(), make::pupil(3).wrap(), twin(2, 1).wrap()]).await;
    push_one(&hub, SCHOOL, vec![twin(2, 3).wrap()]).await;
    assert_eq!(duplicates(&hub, SCHOOL).await, ["HS000002"], "still a duplicate, of another one");
}

#[tokio::test]
async fn who_is_not_in_the_batch_is_warned_of_without_a_place_in_it() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap(), make::pupil(3).wrap()]).await;
    // The one who was here first takes the other's number.
    let reply = push_one(&hub, SCHOOL, vec![make::staff(1).wrap(), twin(1, 3).wrap()]).await;
    let found: Vec<_> = reply.problems.iter().map(|p| (p.reason(), p.record_key.as_str(), p.index)).collect();
    assert_eq!(found, [(Reason::PersonalIdDuplicate, "HS000003", None)]);
    // An unchanged record has its place.
    let reply = push_one(&hub, SCHOOL, vec![twin(1, 7).wrap(), make::pupil(3).wrap()]).await;
    assert_eq!(reply.problems, []);
    let reply = push_one(&hub, SCHOOL, vec![twin(1, 3).wrap(), make::pupil(3).wrap()]).await;
    assert_eq!(reply.problems.iter().map(|p| p.index).collect::<Vec<_>>(), [Some(1)]);
}

#[tokio::test]
async fn two_schools_that_push_at_once_find_it_too() {
    let hub = Hub::start().await;
    for round in 0..10 {
        let numbers: Vec<u32> = (0..20).map(|i| round * 100 + i).collect();
        let of = |school: &'static str| {
            let records =
                numbers.iter().map(|n| twin(n + if school == OTHER { 50 } else { 0 }, *n).wrap()).collect();
            let ingest = hub.ingest(&Persona::vendor(school));
            async move {
                let batches = vec![batch(1, records)];
                let (mut pushing, _) = Pushing::open(ingest, patch(school)).await.unwrap();
                pushing.batch(batches[0].clone()).await.unwrap();
                pushing.end(end_of(&batches)).await.unwrap();
            }
        };
        tokio::join!(of(SCHOOL), of(OTHER));
        let open = duplicates(&hub, SCHOOL).await.len() + duplicates(&hub, OTHER).await.len();
        assert_eq!(open, (round as usize + 1) * 20, "each shared number has one issue");
    }
}
