//! Redis is only a cache: gone, or full of rubbish, and the answers are the same.
use crate::{
    hub::{COMMUNE, Hub, OTHER, SCHOOL, Setup},
    make,
    pushing::{counted, push_one, refusal},
};
use eduhub_auth::{Role, Scope, testing::Persona};
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{Kind, ListRecordsRequest},
    registry::v1::GetSchoolRequest,
};
use redis::AsyncCommands;

/// What a hub answers to different callers: a school in reach, one out of reach, records, a push.
async fn answers(hub: &Hub) -> Vec<String> {
    let near = Persona::new(Role::CommuneReviewer, Scope::commune(COMMUNE)).office(COMMUNE);
    let ask = |code: &str| GetSchoolRequest { school_code: code.into() };
    let school = hub.schools(&near).get_school(ask(SCHOOL)).await.unwrap().into_inner();
    let hidden = refusal(hub.schools(&near).get_school(ask(OTHER)).await);
    let absent = refusal(hub.schools(&near).get_school(ask("37999999999")).await);
    assert_eq!(hidden, absent);
    assert_eq!(hidden.1, Reason::SchoolNotFound);
    let list =
        ListRecordsRequest { school_code: SCHOOL.into(), kind: Kind::Pupil as i32, ..Default::default() };
    let records = hub.records(&near).list_records(list).await.unwrap().into_inner();
    vec![school.name, school.commune_code, records.records.len().to_string()]
}

async fn poison(url: &str) -> usize {
    let mut redis = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis.keys("eduhub:registry:*").await.unwrap();
    for (i, key) in keys.iter().enumerate() {
        match i % 3 {
            0 => redis.set::<_, _, ()>(key, vec![0xff_u8; 64]).await.unwrap(),
            1 => redis.set::<_, _, ()>(key, "").await.unwrap(),
            _ => {
                redis.del::<_, ()>(key).await.unwrap();
                redis.lpush::<_, _, ()>(key, "rubbish").await.unwrap();
            }
        }
    }
    keys.len()
}

#[tokio::test]
async fn rubbish_under_every_key_changes_no_answer() {
    let url = eduhub_testkit::redis_url();
    let hub = Hub::with(Setup { redis: Some(url.clone()), ..Setup::default() }).await;
    push_one(&hub, SCHOOL, make::small_school(1..4)).await;
    let right = answers(&hub).await;
    let mut poisoned = 0;
    for _ in 0..3 {
        poisoned += poison(&url).await;
        // Another replica, whose own memory is empty: it has Redis only.
        let replica = hub.replica(Some(&url)).await;
        assert_eq!(answers(&replica).await, right);
    }
    assert!(poisoned > 0, "nothing was cached in Redis, so nothing was tested");
    assert_eq!(counted(&push_one(&hub, SCHOOL, make::small_school(1..4)).await.counts)[2], 8);
}

#[tokio::test]
async fn without_a_redis_that_answers_everything_still_works() {
    // A port where nobody listens.
    let nobody = eduhub_stack::free_ports(1).unwrap()[0];
    let hub = Hub::with(Setup { redis: Some(format!("redis://{nobody}")), ..Setup::default() }).await;
    push_one(&hub, SCHOOL, make::small_school(1..4)).await;
    assert_eq!(answers(&hub).await[2], "3");
}
