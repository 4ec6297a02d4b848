//! What a consumer may rely on: filters, masks, images, cursors, checkpoints, and how a stream ends.
use crate::{
    following::{Follower, Got, Mirror, follow},
    hub::{COMMUNE, Hub, OTHER, SCHOOL, SOON},
    make::{self, Wrap},
    pushing::{push_one, refusal, withdraw_one},
};
use eduhub_auth::{Role, Scope, testing::Persona};
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::{
    common::v1::{DataDomain, Kind, Sensitivity, WatchRequest},
    registry::v1::{Pupil, Record, record},
};
use tonic::Code;

fn ioc() -> Persona {
    Persona::consumer().max_class(Sensitivity::Secret)
}

async fn copy(hub: &Hub, persona: &Persona, request: WatchRequest) -> Mirror {
    let mut mirror = Mirror::default();
    let mut stream = follow(hub.feed(persona), request).await.unwrap();
    stream.catch_up(&mut mirror).await.unwrap();
    mirror
}

fn pupil_of(mirror: &Mirror, n: u32) -> Pupil {
    let held = &mirror.records[&(SCHOOL.to_owned(), Kind::Pupil as i32, make::code(n))];
    match held.record.clone() {
        Some(Record { record: Some(record::Record::Pupil(p)) }) => p,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn filters_by_kind_school_and_scope() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..4)).await;
    push_one(&hub, OTHER, make::small_school(1..3)).await;
    let kinds = |m: &Mirror| m.records.keys().map(|k| k.1).collect::<std::collections::BTreeSet<_>>();
    let schools =
        |m: &Mirror| m.records.keys().map(|k| k.0.clone()).collect::<std::collections::BTreeSet<_>>();

    let all = copy(&hub, &ioc(), WatchRequest::default()).await;
    assert_eq!((all.records.len(), all.repeated), (14, 0));
    let some = WatchRequest {
        kinds: vec![Kind::Pupil as i32],
        school_codes: vec![OTHER.into()],
        ..Default::default()
    };
    let some = copy(&hub, &ioc(), some).await;
    assert_eq!((some.records.len(), kinds(&some).len(), schools(&some).len()), (2, 1, 1));

    let near = Persona::new(Role::Consumer, Scope::commune(COMMUNE));
    let near_copy = copy(&hub, &near, WatchRequest::default()).await;
    assert_eq!(schools(&near_copy), [SCHOOL.to_owned()].into());
    let beyond = WatchRequest { school_codes: vec![SCHOOL.into(), OTHER.into()], ..Default::default() };
    assert_eq!(
        refusal(follow(hub.feed(&near), beyond).await.map(drop)),
        (Code::NotFound, Reason::SchoolNotFound)
    );

    let classes = ioc().domains(&[DataDomain::School]);
    let classes_copy = copy(&hub, &classes, WatchRequest::default()).await;
    assert_eq!(kinds(&classes_copy), [Kind::Campus as i32, Kind::Class as i32].into());
    let pupils = WatchRequest { kinds: vec![Kind::Pupil as i32], ..Default::default() };
    assert_eq!(
        refusal(follow(hub.feed(&classes), pupils).await.map(drop)),
        (Code::PermissionDenied, Reason::Forbidden)
    );
}

#[tokio::test]
async fn fields_above_the_grants_class_are_absent_in_snapshot_and_tail() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    for (class, id, ethnicity, name) in [
        (Sensitivity::Secret, true, true, true),
        (Sensitivity::Sensitive, false, true, true),
        (Sensitivity::Basic, false, false, true),
        (Sensitivity::Public, false, false, false),
    ] {
        let persona = Persona::consumer().max_class(class);
        let mut mirror = Mirror::default();
        let mut stream = Follower::open(&hub, &persona, vec![]).await;
        stream.catch_up(&mut mirror).await.unwrap();
        let n = 10 + class as u32;
        push_one(&hub, SCHOOL, vec![make::pupil(n).wrap()]).await;
        stream.catch_up(&mut mirror).await.unwrap();
        for number in [1, n] {
            let p = pupil_of(&mirror, number);
            assert_eq!(p.personal_id.is_some(), id, "{class:?}");
            assert_eq!(p.ethnicity.is_some(), ethnicity, "{class:?}");
            assert_eq!(!p.full_name.is_empty(), name, "{class:?}");
        }
    }
}

#[tokio::test]
async fn an_event_shows_its_version_even_after_later_changes() {
    let hub = Hub::start().await;
    let mut first = Follower::open(&hub, &ioc(), vec![]).await;
    let start = first.catch_up(&mut Mirror::default()).await.unwrap();
    let born = |place: &str| Pupil { birth_place: Some(place.into()), ..make::pupil(1) };
    for place in ["Hà Nội", "Huế"] {
        push_one(&hub, SCHOOL, vec![born(place).wrap()]).await;
    }
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Pupil, &make::code(1))]).await;
    push_one(&hub, SCHOOL, vec![Pupil { personal_id: Some(make::personal_id(9)), ..born("Vinh") }.wrap()])
        .await;
    let mut late = Follower::open(&hub, &ioc(), start).await;
    let mut seen = vec![];
    while seen.len() < 4 {
        if let Got::Changes(changes, _) = late.next().await.unwrap() {
            seen.extend(changes.into_iter().map(|c| {
                let pupil = c.record.and_then(|r| r.record).map(|r| match r {
                    record::Record::Pupil(p) => (p.birth_place.unwrap(), p.personal_id.unwrap()),
                    other => panic!("{other:?}"),
                });
                (c.header.unwrap().version, pupil)
            }));
        }
    }
    let id = make::personal_id(1);
    let at = |place: &str, id: &str| Some((place.to_owned(), id.to_owned()));
    let wanted =
        [(1, at("Hà Nội", &id)), (2, at("Huế", &id)), (3, None), (4, at("Vinh", &make::personal_id(9)))];
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn small_batches_have_cursors_that_resume_anywhere() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..20)).await;
    let request = |cursor| WatchRequest { cursor, max_batch: 3, ..Default::default() };
    let (mut mirror, mut cursor) = (Mirror::default(), vec![]);
    let mut extra = 100;
    // A new stream after every batch, in the snapshot and in the tail.
    for _ in 0..100 {
        if mirror.records.len() == 45 {
            break;
        }
        let mut stream = follow(hub.feed(&ioc()), request(cursor.clone())).await.unwrap();
        if let Got::Changes(changes, next) = stream.next().await.unwrap() {
            assert!(changes.len() <= 3);
            changes.into_iter().for_each(|c| mirror.apply(c));
            cursor = next;
        }
        if extra < 105 {
            push_one(&hub, SCHOOL, vec![make::pupil(extra).wrap()]).await;
            extra += 1;
        }
    }
    assert_eq!(mirror.repeated, 0);
    assert_eq!(mirror.digest(SCHOOL).1, live_digest(&hub).await);
}

async fn live_digest(hub: &Hub) -> Vec<u8> {
    let request = eduhub_proto::common::v1::SchoolDigestRequest { school_code: SCHOOL.into() };
    hub.seals(&ioc()).get_school_digest(request).await.unwrap().into_inner().digest
}

#[tokio::test]
async fn a_cursor_that_is_foreign_malformed_or_expired_is_refused() {
    let hub = Hub::start().await;
    let other_hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..4)).await;
    let mut mirror = Mirror::default();
    let cursor = Follower::open(&hub, &ioc(), vec![]).await.catch_up(&mut mirror).await.unwrap();
    // An accepted stream answers, too: with changes or a checkpoint.
    let answer = async |hub: &Hub, persona: &Persona, request: WatchRequest| {
        let first = follow(hub.feed(persona), request).await.unwrap().next().await;
        first.err().map(|status| (status.code(), reason_of(&status).unwrap()))
    };
    let with = |cursor: Vec<u8>| WatchRequest { cursor, ..Default::default() };
    let foreign = Some((Code::FailedPrecondition, Reason::CursorForeign));
    assert_eq!(answer(&other_hub, &ioc(), with(cursor.clone())).await, foreign, "another database");
    let narrower = WatchRequest { kinds: vec![Kind::Class as i32], ..with(cursor.clone()) };
    assert_eq!(answer(&hub, &ioc(), narrower).await, foreign, "another filter");
    let malformed = Some((Code::InvalidArgument, Reason::CursorMalformed));
    for broken in [b"x".to_vec(), cursor[1..].to_vec(), [cursor.clone(), vec![0]].concat()] {
        assert_eq!(answer(&hub, &ioc(), with(broken)).await, malformed);
    }

    // Pruned: the log of the first push is old.
    push_one(&hub, SCHOOL, vec![make::pupil(50).wrap()]).await;
    sqlx::query("update change_log set changed_at = now() - interval '500 days'")
        .execute(&hub.pool)
        .await
        .unwrap();
    push_one(&hub, SCHOOL, vec![make::pupil(51).wrap()]).await;
    let before = time::OffsetDateTime::now_utc() - time::Duration::days(400);
    let keep = eduhub_changelog::Retention { before, subscribed_before: before };
    let expired = Some((Code::OutOfRange, Reason::CursorExpired));
    // Nothing above the horizon is pruned, and transactions of other tests' databases hold it back: until the second push is, too.
    eduhub_testkit::until(SOON, || async {
        let mut conn = hub.pool.acquire().await.unwrap();
        eduhub_changelog::prune(&mut conn, keep, 10_000).await.unwrap();
        answer(&hub, &ioc(), with(cursor.clone())).await == expired
    })
    .await;
    // Transactions of other tests' databases hold the head back for a moment, and this log has just been cut at its head.
    let fresh = eduhub_testkit::eventually(SOON, || async {
        let (mut copy, mut stream) =
            (Mirror::default(), follow(hub.feed(&ioc()), WatchRequest::default()).await.ok()?);
        stream.catch_up(&mut copy).await.ok().map(|_| copy)
    });
    let fresh = fresh.await;
    assert_eq!(fresh.digest(SCHOOL).1, live_digest(&hub).await, "a new snapshot needs no log");

    // A restore raises the epoch.
    let now = Follower::open(&hub, &ioc(), vec![]).await.catch_up(&mut mirror).await.unwrap();
    sqlx::query("update feed_state set epoch = epoch + 1").execute(&hub.pool).await.unwrap();
    eduhub_testkit::until(SOON, || async { answer(&hub, &ioc(), with(now.clone())).await == foreign }).await;
}

#[tokio::test]
async fn a_quiet_stream_gets_checkpoints_and_their_cursor_is_good() {
    let hub = Hub::start().await;
    let mut stream = Follower::open(&hub, &ioc(), vec![]).await;
    let mut cursor = vec![];
    for _ in 0..3 {
        match stream.next().await.unwrap() {
            Got::Checkpoint(c) => {
                assert!(c.live && c.server_time.is_some());
                cursor = c.cursor;
            }
            Got::Changes(..) | Got::Scope(_) => panic!("nothing happened"),
        }
    }
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    let mut mirror = Mirror::default();
    Follower::open(&hub, &ioc(), cursor).await.catch_up(&mut mirror).await.unwrap();
    assert_eq!(mirror.records.len(), 1);
}

#[tokio::test]
async fn a_revoked_grant_ends_the_stream() {
    let hub = Hub::start().await;
    let (one, two) = (ioc(), ioc());
    let mut revoked = Follower::open(&hub, &one, vec![]).await;
    let mut other = Follower::open(&hub, &two, vec![]).await;
    revoked.catch_up(&mut Mirror::default()).await.unwrap();
    hub.mint.revoke_grant(one.0.grant.unwrap()).await.unwrap();
    let status = revoked.end().await;
    assert_eq!((status.code(), reason_of(&status)), (Code::PermissionDenied, Some(Reason::GrantRevoked)));
    other.catch_up(&mut Mirror::default()).await.unwrap();
}

#[tokio::test]
async fn a_stopping_server_ends_its_streams_to_be_resumed() {
    let hub = Hub::start().await;
    let mut stream = Follower::open(&hub, &ioc(), vec![]).await;
    stream.catch_up(&mut Mirror::default()).await.unwrap();
    let Hub { running, .. } = hub;
    let stopping = tokio::spawn(running.stop());
    assert_eq!(stream.end().await.code(), Code::Unavailable);
    assert_eq!(stopping.await.unwrap(), eduhub_runtime::server::Drain::Clean);
}
