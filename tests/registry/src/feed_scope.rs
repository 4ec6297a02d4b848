//! When what a consumer may see changes it is told, and gets what is new: on an open stream and on a resumed one.
use crate::{
    following::{Follower, Got, Mirror, follow},
    hub::{COMMUNE, Hub, OTHER, SCHOOL, SOON, Setup, school},
    make::{self, Wrap},
    pushing::push_one,
};
use eduhub_auth::{Role, Scope, testing::Persona};
use eduhub_feed::FeedLimits;
use eduhub_proto::common::v1::{DataDomain, Kind, Sensitivity, WatchRequest};
use std::{collections::BTreeSet, time::Duration};

const THIRD: &str = "37143290009";

async fn hub() -> Hub {
    let feed = FeedLimits { scope: Duration::from_millis(20), ..Setup::default().feed };
    let hub = Hub::with(Setup { feed, ..Setup::default() }).await;
    hub.register(&[school(THIRD, "14359")]).await;
    for code in [SCHOOL, OTHER, THIRD] {
        push_one(&hub, code, make::small_school(1..4)).await;
    }
    hub
}

fn near() -> Persona {
    Persona::new(Role::Consumer, Scope::commune(COMMUNE)).max_class(Sensitivity::Secret)
}

fn schools(mirror: &Mirror) -> BTreeSet<&str> {
    mirror.records.keys().map(|(school, ..)| school.as_str()).collect()
}

/// Follows until the change of scope and what it adds has come.
async fn until_told(stream: &mut Follower, mirror: &mut Mirror) -> Vec<u8> {
    let told = mirror.scopes.len();
    let told = async {
        loop {
            match stream.next().await.unwrap() {
                Got::Changes(changes, _) => changes.into_iter().for_each(|c| mirror.apply(c)),
                Got::Scope(change) => mirror.rescope(change),
                Got::Checkpoint(c) if mirror.scopes.len() > told => return c.cursor,
                Got::Checkpoint(_) => {}
            }
        }
    };
    // A stream that tells nothing is alive all the same.
    tokio::time::timeout(SOON, told).await.expect("a change of scope in time")
}

#[tokio::test]
async fn a_school_that_comes_to_the_commune_comes_with_its_records_and_one_that_leaves_is_told() {
    let hub = hub().await;
    let who = near();
    let mut mirror = Mirror::default();
    let mut stream = Follower::open(&hub, &who, vec![]).await;
    stream.catch_up(&mut mirror).await.unwrap();
    assert_eq!(schools(&mirror), [SCHOOL].into());

    // The reform moves a school here.
    hub.register(&[school(THIRD, COMMUNE)]).await;
    let cursor = until_told(&mut stream, &mut mirror).await;
    assert_eq!(mirror.scopes[0].added_schools, [THIRD]);
    assert_eq!(schools(&mirror), [SCHOOL, THIRD].into());
    assert_eq!(mirror.records.len(), 16);
    push_one(&hub, THIRD, vec![make::pupil(20).wrap()]).await;
    push_one(&hub, OTHER, vec![make::pupil(20).wrap()]).await;
    stream.catch_up(&mut mirror).await.unwrap();
    assert_eq!(mirror.records.len(), 17);

    // The cursor knows of it: resumed, it is not told again.
    let mut again = Follower::open(&hub, &who, cursor).await;
    let mut rest = Mirror::default();
    again.catch_up(&mut rest).await.unwrap();
    assert_eq!((rest.records.len(), rest.scopes.len()), (1, 0));

    hub.register(&[school(THIRD, "14359")]).await;
    until_told(&mut stream, &mut mirror).await;
    assert_eq!(
        (mirror.scopes[1].removed_schools.as_slice(), schools(&mirror)),
        (&[THIRD.to_owned()][..], [SCHOOL].into())
    );
    push_one(&hub, THIRD, vec![make::pupil(21).wrap()]).await;
    stream.catch_up(&mut mirror).await.unwrap();
    assert_eq!(schools(&mirror), [SCHOOL].into());
    assert_eq!(mirror.repeated, 0);
}

#[tokio::test]
async fn a_school_brings_also_what_it_got_after_the_stream_began() {
    let hub = hub().await;
    let mut mirror = Mirror::default();
    let mut stream = Follower::open(&hub, &near(), vec![]).await;
    stream.catch_up(&mut mirror).await.unwrap();
    push_one(&hub, THIRD, vec![make::pupil(40).wrap()]).await;
    // The stream passes that change, which it may not see yet, and another one, which it may.
    push_one(&hub, SCHOOL, vec![make::pupil(41).wrap()]).await;
    stream.catch_up(&mut mirror).await.unwrap();
    hub.register(&[school(THIRD, COMMUNE)]).await;
    until_told(&mut stream, &mut mirror).await;
    assert!(mirror.records.contains_key(&(THIRD.to_owned(), Kind::Pupil as i32, make::code(40))));
    assert_eq!((mirror.records.len(), mirror.repeated), (18, 0));
}

#[tokio::test]
async fn a_school_that_came_in_part_and_left_while_the_consumer_was_away_is_told_as_gone() {
    let hub = hub().await;
    let who = near();
    let mut mirror = Mirror::default();
    let cursor = Follower::open(&hub, &who, vec![]).await.catch_up(&mut mirror).await.unwrap();
    hub.register(&[school(THIRD, COMMUNE)]).await;
    let request = WatchRequest { cursor, max_batch: 3, ..Default::default() };
    let mut stream = follow(hub.feed(&who), request).await.unwrap();
    let Got::Scope(change) = stream.next().await.unwrap() else { panic!("the scope comes first") };
    mirror.rescope(change);
    let Got::Changes(changes, cursor) = stream.next().await.unwrap() else { panic!("then its rows") };
    changes.into_iter().for_each(|c| mirror.apply(c));
    drop(stream);
    assert_eq!(schools(&mirror), [SCHOOL, THIRD].into());
    assert!(mirror.records.len() < 16, "not all of its rows");

    hub.register(&[school(THIRD, "14359")]).await;
    let mut stream = Follower::open(&hub, &who, cursor).await;
    until_told(&mut stream, &mut mirror).await;
    assert_eq!(mirror.scopes[1].removed_schools, [THIRD]);
    assert_eq!(schools(&mirror), [SCHOOL].into());
}

#[tokio::test]
async fn a_resumed_stream_is_told_what_changed_while_it_was_away() {
    let hub = hub().await;
    let who = near().domains(&[DataDomain::School, DataDomain::Pupil]);
    let mut mirror = Mirror::default();
    let cursor = Follower::open(&hub, &who, vec![]).await.catch_up(&mut mirror).await.unwrap();
    let before = mirror.records.len();
    hub.register(&[school(SCHOOL, "14359"), school(THIRD, COMMUNE)]).await;
    push_one(&hub, SCHOOL, vec![make::pupil(30).wrap()]).await;

    // Renewed with fewer domains, too.
    let renewed = near().domains(&[DataDomain::Pupil]);
    let mut stream = Follower::open(&hub, &renewed, cursor.clone()).await;
    let next = until_told(&mut stream, &mut mirror).await;
    let told = &mirror.scopes[0];
    assert_eq!(
        (told.added_schools.as_slice(), told.removed_schools.as_slice()),
        (&[THIRD.to_owned()][..], &[SCHOOL.to_owned()][..])
    );
    assert!(told.removed_kinds.contains(&(Kind::Class as i32)) && told.added_kinds.is_empty() && !told.reset);
    assert_eq!(schools(&mirror), [THIRD].into());
    let kinds: BTreeSet<i32> = mirror.records.keys().map(|(_, kind, _)| *kind).collect();
    assert!(kinds.contains(&(Kind::Pupil as i32)) && !kinds.contains(&(Kind::Class as i32)));

    // And back: the kinds come again for the school that stayed.
    let mut stream = Follower::open(&hub, &who, next.clone()).await;
    until_told(&mut stream, &mut mirror).await;
    assert!(mirror.scopes[1].added_kinds.contains(&(Kind::Class as i32)));
    assert_eq!(mirror.records.len(), before);

    // Broken off after the first message, it is told all of it again.
    let mut stream = Follower::open(&hub, &who, next).await;
    let Got::Scope(change) = stream.next().await.unwrap() else { panic!("the scope comes first") };
    drop(stream);
    let mut copy = Mirror::default();
    let mut stream = Follower::open(&hub, &who, change.cursor).await;
    until_told(&mut stream, &mut copy).await;
    assert!(copy.scopes[0].added_kinds.contains(&(Kind::Class as i32)) && !copy.records.is_empty());
}

#[tokio::test]
async fn another_class_of_fields_begins_anew_on_the_same_stream() {
    let hub = hub().await;
    let mut mirror = Mirror::default();
    let basic = Persona::consumer().max_class(Sensitivity::Basic);
    let cursor = Follower::open(&hub, &basic, vec![]).await.catch_up(&mut mirror).await.unwrap();
    let secret = Persona::consumer().max_class(Sensitivity::Secret);
    let mut stream = Follower::open(&hub, &secret, cursor).await;
    let Got::Scope(change) = stream.next().await.unwrap() else { panic!("the scope comes first") };
    assert!(change.reset);
    let all = mirror.records.len();
    mirror.rescope(change);
    stream.catch_up(&mut mirror).await.unwrap();
    assert_eq!((mirror.records.len(), mirror.repeated), (all, 0));
}
