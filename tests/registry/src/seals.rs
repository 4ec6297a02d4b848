//! Seals: the state exactly as sealed while live edits go on.
use crate::{
    following::{Follower, Mirror},
    hub::{Hub, OTHER, SCHOOL, SOON, YEAR},
    make::{self, Wrap},
    pushing::{push_one, refusal, withdraw_one},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{
        Dataset, DiffSealRequest, GetSealRequest, Kind, ListSealedRequest, RecordDiff, SchoolDigestRequest,
        Seal, SealRequest, Sensitivity,
    },
    registry::v1::{Change, Pupil, Record},
};
use tonic::{Code, Status};
use uuid::Uuid;

async fn seal_as(hub: &Hub, id: Uuid, school: &str, dataset: Dataset) -> Result<Seal, Status> {
    let (seal_id, school_code) = (id.to_string(), school.to_owned());
    let request = SealRequest { seal_id, school_code, school_year: YEAR, dataset: dataset as i32 };
    Ok(hub.seals(&Persona::service("approval")).create_seal(request).await?.into_inner())
}

pub async fn seal(hub: &Hub) -> Seal {
    seal_as(hub, Uuid::now_v7(), SCHOOL, Dataset::Pupils).await.unwrap()
}

/// All sealed records of a kind, in small pages.
pub async fn sealed(hub: &Hub, persona: &Persona, seal: &Seal, kind: Kind) -> Vec<Change> {
    let mut client = hub.seals(persona);
    let mut request = ListSealedRequest {
        seal_id: seal.seal_id.clone(),
        kind: kind as i32,
        page_size: 7,
        page_token: String::new(),
    };
    let mut all = vec![];
    loop {
        let page = client.list_sealed(request.clone()).await.unwrap().into_inner();
        all.extend(page.records);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

pub async fn differences(hub: &Hub, persona: &Persona, seal: &Seal, base: &str) -> Vec<RecordDiff> {
    let mut client = hub.seals(persona);
    let mut request = DiffSealRequest {
        seal_id: seal.seal_id.clone(),
        base_seal_id: base.to_owned(),
        page_size: 3,
        page_token: String::new(),
    };
    let mut all = vec![];
    loop {
        let page = client.diff_seal(request.clone()).await.unwrap().into_inner();
        all.extend(page.records);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn a_difference_names_fields_and_hides_what_the_reader_may_not_see() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    let base = seal(&hub).await;
    let changed = Pupil {
        birth_place: Some("Huế".into()),
        ethnicity: Some("02".into()),
        personal_id: Some(make::personal_id(2)),
        ..make::pupil(1)
    };
    push_one(&hub, SCHOOL, vec![changed.wrap()]).await;
    let next = seal(&hub).await;
    for (class, fields) in [
        (Sensitivity::Secret, vec!["personal_id", "ethnicity", "birth_place"]),
        (Sensitivity::Sensitive, vec!["ethnicity", "birth_place"]),
        (Sensitivity::Basic, vec!["birth_place"]),
    ] {
        let reader = Persona::school_officer(SCHOOL).max_class(class);
        let found = differences(&hub, &reader, &next, &base.seal_id).await;
        let named: Vec<_> = found[0].fields.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(named, fields, "{class:?}");
    }
    let found = differences(&hub, &Persona::school_officer(SCHOOL), &next, &base.seal_id).await;
    let place = found[0].fields.iter().find(|f| f.field == "birth_place").unwrap();
    assert_eq!(
        (place.before.as_str(), place.after.as_str(), place.label.as_str()),
        ("Ninh Bình", "Huế", "Nơi sinh")
    );
    let masked =
        sealed(&hub, &Persona::school_officer(SCHOOL).max_class(Sensitivity::Basic), &next, Kind::Pupil)
            .await;
    assert!(!format!("{masked:?}").contains(&make::personal_id(2)));
}

#[tokio::test]
async fn the_same_id_gives_the_same_seal_and_never_another() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..3)).await;
    let id = Uuid::now_v7();
    let first = seal_as(&hub, id, SCHOOL, Dataset::Pupils).await.unwrap();
    push_one(&hub, SCHOOL, vec![make::pupil(9).wrap()]).await;
    assert_eq!(seal_as(&hub, id, SCHOOL, Dataset::Pupils).await.unwrap(), first);
    let exists = (Code::AlreadyExists, Reason::AlreadyExists);
    assert_eq!(refusal(seal_as(&hub, id, SCHOOL, Dataset::Staff).await), exists);
    assert_eq!(refusal(seal_as(&hub, id, OTHER, Dataset::Pupils).await), exists);
    let foreign = seal_as(&hub, Uuid::now_v7(), SCHOOL, Dataset::Facilities).await;
    assert_eq!(refusal(foreign).1, Reason::InvalidRequest);
    let absent = seal_as(&hub, Uuid::now_v7(), "37999999999", Dataset::Pupils).await;
    assert_eq!(refusal(absent), (Code::NotFound, Reason::SchoolNotFound));
    let officer = Persona::school_officer(SCHOOL);
    let got =
        hub.seals(&officer).get_seal(GetSealRequest { seal_id: id.to_string() }).await.unwrap().into_inner();
    assert_eq!(got, first);

    // Two at once: one seal.
    let id = Uuid::now_v7();
    let (a, b) =
        tokio::join!(seal_as(&hub, id, SCHOOL, Dataset::Pupils), seal_as(&hub, id, SCHOOL, Dataset::Pupils));
    assert_eq!(a.unwrap(), b.unwrap());
}

#[tokio::test]
async fn a_seal_never_shows_half_a_batch() {
    let hub = Hub::start().await;
    let all = |place: &str| {
        let one = |n| Pupil { birth_place: Some(place.to_owned()), ..make::pupil(n) }.wrap();
        (1..200).map(one).collect::<Vec<_>>()
    };
    push_one(&hub, SCHOOL, all("Nơi 0")).await;
    let pushing = async {
        for round in 1..12 {
            push_one(&hub, SCHOOL, all(&format!("Nơi {round}"))).await;
        }
    };
    let sealing = async {
        let mut seals = vec![];
        for _ in 0..20 {
            seals.push(seal(&hub).await);
        }
        seals
    };
    let ((), seals) = tokio::join!(pushing, sealing);
    let officer = Persona::school_officer(SCHOOL);
    for s in seals {
        let records = sealed(&hub, &officer, &s, Kind::Pupil).await;
        let versions: std::collections::BTreeSet<i64> =
            records.iter().map(|c| c.header.as_ref().unwrap().version).collect();
        assert_eq!((records.len(), versions.len()), (199, 1), "{versions:?}");
    }
}

#[tokio::test]
async fn a_seal_counts_what_was_held_back_and_what_was_doubtful() {
    let hub = Hub::start().await;
    let doubtful = Pupil { personal_id: None, ..make::pupil(1) };
    push_one(&hub, SCHOOL, vec![doubtful.wrap(), make::enrolment(1, "9X").wrap(), make::staff(1).wrap()])
        .await;
    let s = seal(&hub).await;
    assert_eq!((s.held, s.open_issues), (1, 1));
    let staff = seal_as(&hub, Uuid::now_v7(), SCHOOL, Dataset::Staff).await.unwrap();
    assert_eq!((staff.held, staff.open_issues, staff.counts[0].count), (0, 0, 1));
}

#[tokio::test]
async fn the_digest_of_a_school_is_that_of_a_copy_made_from_the_feed() {
    let hub = Hub::start().await;
    let ioc = Persona::consumer();
    let mut mirror = Mirror::default();
    let mut stream = Follower::open(&hub, &ioc, vec![]).await;
    for round in 0..4 {
        push_one(&hub, SCHOOL, make::small_school(round * 3..round * 3 + 6)).await;
        push_one(&hub, SCHOOL, vec![make::staff(round).wrap(), make::health(round * 3).wrap()]).await;
        withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Enrolment, &format!("QT{:06}", round * 3))])
            .await;
        let request = SchoolDigestRequest { school_code: SCHOOL.into() };
        let live = hub.seals(&ioc).get_school_digest(request).await.unwrap().into_inner();
        stream.catch_up(&mut mirror).await.unwrap();
        let (counts, digest) = mirror.digest(SCHOOL);
        assert_eq!(
            (&counts, hex::encode(&digest)),
            (&live.counts, hex::encode(&live.digest)),
            "round {round}"
        );
    }
}

/// Prunes until so many entries are left, and no fewer when it is done once more. Not at once: nothing above the oldest running
/// transaction goes, which may be one of another test's database.
async fn pruned_to(hub: &Hub, left: i64) {
    let prune = || async {
        let mut conn = hub.pool.acquire().await.unwrap();
        eduhub_changelog::prune(&mut conn, everything_old(), 10_000).await.unwrap();
        hub.count("select count(*) from change_log").await
    };
    eduhub_testkit::until(SOON, || async { prune().await <= left }).await;
    assert_eq!(prune().await, left);
}

#[tokio::test]
async fn pruning_leaves_what_a_seal_needs() {
    let hub = Hub::start().await;
    let empty = seal(&hub).await;
    push_one(&hub, SCHOOL, make::small_school(1..5)).await;
    let model: Vec<_> = sealed_records(&hub, &seal(&hub).await).await;
    let kept = seal(&hub).await;
    push_one(&hub, SCHOOL, vec![Pupil { birth_place: Some("Huế".into()), ..make::pupil(1) }.wrap()]).await;
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Pupil, &make::code(2))]).await;
    sqlx::query("update change_log set changed_at = now() - interval '500 days'")
        .execute(&hub.pool)
        .await
        .unwrap();
    // The first push, from which the seals count, stays.
    pruned_to(&hub, 12).await;
    assert_eq!(sealed_records(&hub, &kept).await, model);
    assert_eq!(sealed_records(&hub, &empty).await, []);

    // A seal of nothing needs no log, and shows nothing without one.
    sqlx::query("delete from seal where xid > 0").execute(&hub.pool).await.unwrap();
    pruned_to(&hub, 0).await;
    assert_eq!(sealed_records(&hub, &empty).await, []);
}

async fn sealed_records(hub: &Hub, seal: &Seal) -> Vec<Option<Record>> {
    let officer = Persona::school_officer(SCHOOL);
    sealed(hub, &officer, seal, Kind::Pupil).await.into_iter().map(|c| c.record).collect()
}

/// Nothing is young enough to stay for its age.
fn everything_old() -> eduhub_changelog::Retention {
    let before = time::OffsetDateTime::now_utc();
    eduhub_changelog::Retention { before, subscribed_before: before }
}
