//! Stored subscriptions: cursor, lag, whose they are, and the log that they keep.
use crate::{
    following::{Follower, Got, Mirror, follow},
    hub::{Hub, OTHER, SCHOOL, SOON},
    make::{self, Wrap},
    pushing::{push_one, refusal},
};
use eduhub_auth::{Scope, testing::Persona};
use eduhub_changelog::{Retention, prune};
use eduhub_faults::Reason;
use eduhub_proto::common::v1::{
    AcknowledgeRequest, CreateSubscriptionRequest, DeleteSubscriptionRequest, GetSubscriptionRequest, Kind,
    ListSubscriptionsRequest, Subscription, WatchRequest,
};
use time::OffsetDateTime;
use tonic::{Code, Status};

fn pupils_of(name: &str, school: &str) -> CreateSubscriptionRequest {
    let (kinds, school_codes) = (vec![Kind::Pupil as i32], vec![school.to_owned()]);
    CreateSubscriptionRequest { name: name.into(), kinds, school_codes, ..Default::default() }
}

async fn create(
    hub: &Hub,
    who: &Persona,
    request: CreateSubscriptionRequest,
) -> Result<Subscription, Status> {
    Ok(hub.feed(who).create_subscription(request).await?.into_inner())
}

async fn get(hub: &Hub, who: &Persona, owner: &str, name: &str) -> Result<Subscription, Status> {
    let request = GetSubscriptionRequest { name: name.into(), owner: owner.into() };
    Ok(hub.feed(who).get_subscription(request).await?.into_inner())
}

async fn acknowledge(hub: &Hub, who: &Persona, name: &str, cursor: Vec<u8>) -> Result<Subscription, Status> {
    Ok(hub.feed(who).acknowledge(AcknowledgeRequest { name: name.into(), cursor }).await?.into_inner())
}

async fn watch(hub: &Hub, who: &Persona, name: &str) -> Result<Follower, Status> {
    follow(hub.feed(who), WatchRequest { subscription: name.into(), ..Default::default() }).await
}

#[tokio::test]
async fn a_subscription_resumes_where_it_was_acknowledged_and_tells_its_lag() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..4)).await;
    push_one(&hub, OTHER, make::small_school(1..4)).await;
    let ioc = Persona::consumer();
    let made = create(&hub, &ioc, pupils_of("ioc", SCHOOL)).await.unwrap();
    assert_eq!((made.owner.as_str(), made.cursor.len(), made.expired), (ioc.0.sub.as_str(), 0, false));
    assert_eq!(create(&hub, &ioc, pupils_of("ioc", SCHOOL)).await.unwrap().created_at, made.created_at);

    // The snapshot of what it asks for, and of nothing else.
    let mut mirror = Mirror::default();
    let cursor = watch(&hub, &ioc, "ioc").await.unwrap().catch_up(&mut mirror).await.unwrap();
    assert_eq!(mirror.records.len(), 3);
    let stored = acknowledge(&hub, &ioc, "ioc", cursor.clone()).await.unwrap();
    assert_eq!((stored.cursor.as_slice(), stored.pending_changes), (cursor.as_slice(), 0));
    assert!(stored.acknowledged_at.is_some());

    // Not acknowledged: it comes again; acknowledged: it does not.
    push_one(&hub, SCHOOL, vec![make::pupil(10).wrap()]).await;
    push_one(&hub, OTHER, vec![make::pupil(11).wrap()]).await;
    let behind = get(&hub, &ioc, "", "ioc").await.unwrap();
    assert_eq!(behind.pending_changes, 2, "the log's changes, whoever sees them");
    let lag = behind.behind.unwrap();
    assert!(lag.seconds > 0 || lag.nanos > 0);
    let mut last = vec![];
    for _ in 0..2 {
        let mut mirror = Mirror::default();
        last = watch(&hub, &ioc, "ioc").await.unwrap().catch_up(&mut mirror).await.unwrap();
        assert_eq!(mirror.records.len(), 1);
    }
    acknowledge(&hub, &ioc, "ioc", last.clone()).await.unwrap();
    let mut mirror = Mirror::default();
    watch(&hub, &ioc, "ioc").await.unwrap().catch_up(&mut mirror).await.unwrap();
    assert_eq!(mirror.records.len(), 0);

    // Forward only; a cursor of another question is refused.
    let stored = acknowledge(&hub, &ioc, "ioc", cursor).await.unwrap();
    assert_eq!((stored.cursor, stored.pending_changes), (last, 0));
    let mut all = Follower::open(&hub, &ioc, vec![]).await;
    let foreign = all.catch_up(&mut Mirror::default()).await.unwrap();
    let refused = refusal(acknowledge(&hub, &ioc, "ioc", foreign).await);
    assert_eq!(refused, (Code::FailedPrecondition, Reason::CursorForeign));
    let rubbish = refusal(acknowledge(&hub, &ioc, "ioc", b"rubbish".to_vec()).await);
    assert_eq!(rubbish, (Code::InvalidArgument, Reason::CursorMalformed));
    let mixed = WatchRequest { subscription: "ioc".into(), kinds: vec![1], ..Default::default() };
    let mixed = refusal(follow(hub.feed(&ioc), mixed).await.map(drop));
    assert_eq!(mixed, (Code::InvalidArgument, Reason::InvalidRequest));
}

#[tokio::test]
async fn only_its_owner_and_the_department_see_it() {
    let hub = Hub::start().await;
    let (mine, other, admin) = (Persona::consumer(), Persona::consumer(), Persona::admin());
    for name in ["a", "b", "c"] {
        create(&hub, &mine, pupils_of(name, SCHOOL)).await.unwrap();
    }
    create(&hub, &other, pupils_of("a", OTHER)).await.unwrap();
    let gone = (Code::NotFound, Reason::NotFound);
    let owner = mine.0.sub.as_str();
    assert_eq!(refusal(get(&hub, &other, owner, "b").await), gone);
    assert_eq!(refusal(get(&hub, &other, "", "b").await), gone);
    assert_eq!(refusal(watch(&hub, &other, "b").await.map(drop)), gone);
    assert_eq!(refusal(acknowledge(&hub, &other, "b", vec![1]).await), gone);
    let delete = DeleteSubscriptionRequest { name: "b".into(), owner: owner.into() };
    assert_eq!(refusal(hub.feed(&other).delete_subscription(delete.clone()).await), gone);
    assert_eq!(get(&hub, &admin, owner, "b").await.unwrap().owner, owner);

    let list = async |who: &Persona, everybody, page_token: String| {
        let request = ListSubscriptionsRequest { everybody, page_size: 2, page_token };
        hub.feed(who).list_subscriptions(request).await.map(tonic::Response::into_inner)
    };
    let names = |page: &eduhub_proto::common::v1::SubscriptionPage| {
        page.subscriptions.iter().map(|s| (s.owner == owner, s.name.clone())).collect::<Vec<_>>()
    };
    let first = list(&mine, false, String::new()).await.unwrap();
    assert_eq!(names(&first), [(true, "a".to_owned()), (true, "b".to_owned())]);
    let second = list(&mine, false, first.next_page_token.clone()).await.unwrap();
    assert_eq!((names(&second), second.next_page_token.as_str()), (vec![(true, "c".to_owned())], ""));
    let stolen = refusal(list(&other, false, first.next_page_token).await);
    assert_eq!(stolen, (Code::InvalidArgument, Reason::BadPageToken));
    assert_eq!(refusal(list(&other, true, String::new()).await), (Code::PermissionDenied, Reason::Forbidden));
    let (mut all, mut token) = (vec![], String::new());
    loop {
        let page = list(&admin, true, token).await.unwrap();
        all.extend(names(&page));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!((all.len(), all.iter().filter(|(own, _)| *own).count()), (4, 3));

    hub.feed(&admin).delete_subscription(delete.clone()).await.unwrap();
    hub.feed(&mine).delete_subscription(delete).await.unwrap();
    assert_eq!(refusal(get(&hub, &mine, "", "b").await), gone);
}

#[tokio::test]
async fn what_may_not_be_watched_may_not_be_subscribed() {
    let hub = Hub::start().await;
    let near = Persona::new(eduhub_auth::Role::Consumer, Scope::commune(crate::hub::COMMUNE));
    let refused = async |who: &Persona, request| refusal(create(&hub, who, request).await);
    assert_eq!(refused(&near, pupils_of("x", OTHER)).await, (Code::NotFound, Reason::SchoolNotFound));
    let staff = CreateSubscriptionRequest { kinds: vec![Kind::Staff as i32], ..pupils_of("x", SCHOOL) };
    let blind = Persona::consumer().domains(&[eduhub_proto::common::v1::DataDomain::Pupil]);
    assert_eq!(refused(&blind, staff).await, (Code::PermissionDenied, Reason::Forbidden));
    let bad = (Code::InvalidArgument, Reason::InvalidRequest);
    assert_eq!(refused(&near, pupils_of("Trung tâm", SCHOOL)).await, bad);
    create(&hub, &near, pupils_of("x", SCHOOL)).await.unwrap();
    let taken = refused(&near, CreateSubscriptionRequest { kinds: vec![], ..pupils_of("x", SCHOOL) }).await;
    assert_eq!(taken, (Code::AlreadyExists, Reason::AlreadyExists));
    for n in 1..20 {
        create(&hub, &near, pupils_of(&format!("x{n}"), SCHOOL)).await.unwrap();
    }
    let many = refused(&near, pupils_of("one-more", SCHOOL)).await;
    assert_eq!(many, (Code::ResourceExhausted, Reason::Overloaded));
}

#[tokio::test]
async fn the_log_is_kept_for_a_subscription_up_to_a_limit_of_age() {
    let hub = Hub::start().await;
    let ioc = Persona::consumer();
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    let all = CreateSubscriptionRequest { name: "ioc".into(), ..Default::default() };
    create(&hub, &ioc, all).await.unwrap();
    let mut mirror = Mirror::default();
    let cursor = watch(&hub, &ioc, "ioc").await.unwrap().catch_up(&mut mirror).await.unwrap();
    acknowledge(&hub, &ioc, "ioc", cursor).await.unwrap();
    push_one(&hub, SCHOOL, vec![make::pupil(2).wrap(), make::pupil(3).wrap()]).await;
    let age = "update change_log set changed_at = now() - interval '410 days'";
    sqlx::query(age).execute(&hub.pool).await.unwrap();

    let pruned = async |beyond: i64| {
        let before = |days| OffsetDateTime::now_utc() - time::Duration::days(days);
        let keep = Retention { before: before(400), subscribed_before: before(400 + beyond) };
        let mut tx = hub.pool.begin().await.unwrap();
        // Other tests' transactions hold the horizon now and then.
        let gone = prune(&mut tx, keep, 10_000).await.unwrap();
        tx.commit().await.unwrap();
        gone
    };
    eduhub_testkit::until(SOON, || async { pruned(30).await == 1 }).await;
    assert_eq!(hub.count("select count(*) from change_log").await, 2, "what it has not acknowledged stays");
    let mut late = Mirror::default();
    watch(&hub, &ioc, "ioc").await.unwrap().catch_up(&mut late).await.unwrap();
    assert_eq!(late.records.len(), 2);

    // Past the limit it is told so, and what to do.
    eduhub_testkit::until(SOON, || async { pruned(5).await == 2 }).await;
    assert!(get(&hub, &ioc, "", "ioc").await.unwrap().expired);
    eduhub_testkit::until(SOON, || async {
        let mut stream = watch(&hub, &ioc, "ioc").await.unwrap();
        loop {
            match stream.next().await {
                Ok(Got::Checkpoint(_)) => return false,
                Ok(_) => {}
                Err(status) => {
                    assert!(status.message().contains("without a cursor"), "{status:?}");
                    return refusal::<()>(Err(status)) == (Code::OutOfRange, Reason::CursorExpired);
                }
            }
        }
    })
    .await;
    // A new beginning mends it.
    let cursor = Follower::open(&hub, &ioc, vec![]).await.catch_up(&mut Mirror::default()).await.unwrap();
    assert!(!acknowledge(&hub, &ioc, "ioc", cursor).await.unwrap().expired);
}
