//! The digest handshake: what the hub says of digests that it is shown.
use crate::{
    comparing::{Sender, ask_groups, ask_records},
    hub::{Hub, OTHER, SCHOOL},
    make::{self, Wrap},
    pushing::{batch, patch, push, push_one, refusal, withdraw_one},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{
        CompareGroupsRequest, CompareRecordsRequest, DataDomain, GetDigestKeyRequest, GroupDigest, Kind,
        RecordDigest,
    },
    registry::v1::{Pupil, Record},
};
use tonic::{Code, Status};

fn pupils(range: std::ops::Range<u32>) -> Vec<Record> {
    range.map(|n| make::pupil(n).wrap()).collect()
}

fn enrolments(range: std::ops::Range<u32>) -> Vec<Record> {
    range.map(|n| make::enrolment(n, "6A1").wrap()).collect()
}

fn renamed(n: u32) -> Record {
    Pupil { contact_phone: Some("0987654321".into()), ..make::pupil(n) }.wrap()
}

/// Classes 6A1 and 6A2 with the pupils 1 to 39, whose enrolments are all in 6A1.
async fn school(hub: &Hub) -> Sender {
    let mut all = make::small_school(1..40);
    all.push(make::class("6A2").wrap());
    push_one(hub, SCHOOL, all).await;
    Sender::of(hub, SCHOOL).await
}

const NOTHING: [Vec<String>; 3] = [vec![], vec![], vec![]];

fn keys(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|k| (*k).to_owned()).collect()
}

#[tokio::test]
async fn what_is_the_same_is_named_nowhere() {
    let hub = Hub::start().await;
    let sender = school(&hub).await;
    push_one(
        &hub,
        SCHOOL,
        vec![make::term_result(1, "6A1").wrap(), make::health(1).wrap(), make::school(SCHOOL).wrap()],
    )
    .await;
    let kinds: [(Kind, Vec<Record>); 7] = [
        (Kind::School, vec![make::school(SCHOOL).wrap()]),
        (Kind::Campus, vec![make::campus().wrap()]),
        (Kind::Class, vec![make::class("6A1").wrap(), make::class("6A2").wrap()]),
        (Kind::Pupil, pupils(1..40)),
        (Kind::Enrolment, enrolments(1..40)),
        (Kind::TermResult, vec![make::term_result(1, "6A1").wrap()]),
        (Kind::Health, vec![make::health(1).wrap()]),
    ];
    for (kind, records) in kinds {
        let answer = sender.groups(&hub, kind, &records).await;
        assert_eq!(answer.hub_records, records.len() as u64, "{kind:?}");
        assert_eq!(sender.compare(&hub, kind, &records).await, NOTHING, "{kind:?}");
        // The records of a group that does not differ are the same one by one, too.
        let groups = sender.digests(&records);
        let groups: Vec<&str> = groups.keys().map(String::as_str).collect();
        let answer = sender.records(&hub, kind, &groups, &records).await;
        assert_eq!([answer.lacking, answer.differing, answer.extra], NOTHING, "{kind:?}");
    }
    assert_eq!(sender.compare(&hub, Kind::Staff, &[]).await, NOTHING);
}

#[tokio::test]
async fn changed_new_and_missing_records_are_found_of_kinds_with_and_without_years() {
    let hub = Hub::start().await;
    let sender = school(&hub).await;
    let mut changed = pupils(3..42);
    changed[5] = renamed(8);
    let [lacking, differing, extra] = sender.compare(&hub, Kind::Pupil, &changed).await;
    let sorted = |mut keys: Vec<String>| {
        keys.sort();
        keys
    };
    assert_eq!(sorted(lacking), [make::code(40), make::code(41)]);
    assert_eq!(differing, [make::code(8)]);
    assert_eq!(extra, [make::code(1), make::code(2)]);

    let mut moved = enrolments(2..41);
    let mut other = make::enrolment(5, "6A1");
    other.enrolment_type = "3".into();
    moved[3] = other.wrap();
    let answer = sender.groups(&hub, Kind::Enrolment, &moved).await;
    assert_eq!((answer.differing, answer.only_hub, answer.only_sender), (keys(&["6A1"]), vec![], vec![]));
    let expected = [keys(&["QT000040"]), keys(&["QT000005"]), keys(&["QT000001"])];
    assert_eq!(sender.compare(&hub, Kind::Enrolment, &moved).await, expected);
}

#[tokio::test]
async fn a_record_that_changed_its_group_differs_and_is_never_lacking() {
    let hub = Hub::start().await;
    let sender = school(&hub).await;
    let mut moved = enrolments(1..40);
    moved[6] = make::enrolment(7, "6A2").wrap();
    let groups = sender.groups(&hub, Kind::Enrolment, &moved).await;
    assert_eq!(
        (groups.differing, groups.only_hub, groups.only_sender),
        (keys(&["6A1"]), vec![], keys(&["6A2"]))
    );
    let both = sender.records(&hub, Kind::Enrolment, &["6A1", "6A2"], &moved).await;
    assert_eq!([both.lacking, both.differing, both.extra], [vec![], keys(&["QT000007"]), vec![]]);
    // In two calls it shows in both, as the manual says.
    let old = sender.records(&hub, Kind::Enrolment, &["6A1"], &moved).await;
    assert_eq!([old.lacking, old.differing, old.extra], [vec![], vec![], keys(&["QT000007"])]);
    let new = sender.records(&hub, Kind::Enrolment, &["6A2"], &moved).await;
    assert_eq!([new.lacking, new.differing, new.extra], [vec![], keys(&["QT000007"]), vec![]]);
}

#[tokio::test]
async fn a_yearly_kind_is_compared_in_its_year_and_others_in_all() {
    let hub = Hub::start().await;
    let sender = school(&hub).await;
    let mut last_year = sender.groups_request(Kind::Enrolment, &enrolments(1..40));
    last_year.school_year = 2025;
    let answer = ask_groups(&hub, &sender.persona, last_year).await.unwrap();
    assert_eq!((answer.hub_records, answer.only_sender), (0, keys(&["6A1"])));
    let mut last_year = sender.groups_request(Kind::Pupil, &pupils(1..40));
    last_year.school_year = 0;
    let answer = ask_groups(&hub, &sender.persona, last_year).await.unwrap();
    assert_eq!(
        (answer.hub_records, answer.differing, answer.only_hub, answer.only_sender),
        (39, vec![], vec![], vec![])
    );
    // The same keys in another year are other records.
    let open = eduhub_proto::common::v1::PushOpen { school_year: 2025, ..patch(SCHOOL) };
    let records = vec![make::class("6A1").wrap(), make::enrolment(1, "6A1").wrap()];
    push(&hub, &sender.persona, open, vec![batch(1, records)]).await.unwrap();
    assert_eq!(sender.compare(&hub, Kind::Enrolment, &enrolments(1..40)).await, NOTHING);
}

#[tokio::test]
async fn withdrawn_held_and_refused_records_are_lacking() {
    let hub = Hub::start().await;
    let sender = school(&hub).await;
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Pupil, &make::code(3))]).await;
    assert_eq!(sender.compare(&hub, Kind::Pupil, &pupils(1..40)).await[0], [make::code(3)]);
    assert_eq!(sender.groups(&hub, Kind::Pupil, &[]).await.hub_records, 38);

    let (waiting, mut broken) = (make::enrolment(1, "9Z9"), make::enrolment(2, "6A1"));
    broken.student_status = "77".into();
    let mut all = enrolments(1..40);
    let reply = push_one(&hub, SCHOOL, vec![make::enrolment(50, "9Z9").wrap()]).await;
    assert_eq!(reply.counts.unwrap().held, 1);
    all.push(make::enrolment(50, "9Z9").wrap());
    assert_eq!(sender.compare(&hub, Kind::Enrolment, &all).await, [keys(&["QT000050"]), vec![], vec![]]);
    // A refused or held new image leaves the old one, which differs.
    push_one(&hub, SCHOOL, vec![waiting.clone().wrap(), broken.clone().wrap()]).await;
    (all[0], all[1]) = (waiting.wrap(), broken.wrap());
    let [lacking, mut differing, extra] = sender.compare(&hub, Kind::Enrolment, &all).await;
    differing.sort();
    assert_eq!((lacking, differing, extra), (keys(&["QT000050"]), keys(&["QT000001", "QT000002"]), vec![]));
}

/// What one caller gets from the three calls about one school.
async fn probes(hub: &Hub, persona: &Persona, school: &str, key_id: &[u8]) -> [Result<(), Status>; 3] {
    let (school_code, kind, key_id) = (school.to_owned(), Kind::Pupil as i32, key_id.to_vec());
    let key = GetDigestKeyRequest { school_code: school_code.clone() };
    let groups = CompareGroupsRequest {
        school_code: school_code.clone(),
        kind,
        key_id: key_id.clone(),
        ..Default::default()
    };
    let groups_named = vec!["00".to_owned()];
    let records =
        CompareRecordsRequest { school_code, kind, key_id, groups: groups_named, ..Default::default() };
    [
        hub.ingest(persona).get_digest_key(key).await.map(drop),
        ask_groups(hub, persona, groups).await.map(drop),
        ask_records(hub, persona, records).await.map(drop),
    ]
}

#[tokio::test]
async fn a_school_out_of_scope_looks_absent_and_a_domain_is_needed() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, pupils(1..3)).await;
    let (ours, theirs) = (Sender::of(&hub, SCHOOL).await, Sender::of(&hub, OTHER).await);
    assert_ne!((ours.key, &ours.key_id), (theirs.key, &theirs.key_id), "each school has a key of its own");
    for outcome in probes(&hub, &ours.persona, SCHOOL, &ours.key_id).await {
        outcome.unwrap();
    }
    let hidden = probes(&hub, &theirs.persona, SCHOOL, &ours.key_id).await;
    let absent = probes(&hub, &theirs.persona, "37999999999", &ours.key_id).await;
    for (hidden, absent) in hidden.into_iter().zip(absent) {
        let (hidden, absent) = (hidden.unwrap_err(), absent.unwrap_err());
        assert_eq!(hidden.code(), Code::NotFound);
        assert_eq!((hidden.message(), hidden.details()), (absent.message(), absent.details()));
    }
    let staff = Persona::vendor(SCHOOL).domains(&[DataDomain::Staff]);
    let [key, groups, records] = probes(&hub, &staff, SCHOOL, &ours.key_id).await;
    key.unwrap();
    assert_eq!(refusal(groups), (Code::PermissionDenied, Reason::Forbidden));
    assert_eq!(refusal(records), (Code::PermissionDenied, Reason::Forbidden));
    let rooms = Persona::vendor(SCHOOL).domains(&[DataDomain::Facility]);
    for outcome in probes(&hub, &rooms, SCHOOL, &ours.key_id).await {
        assert_eq!(refusal(outcome), (Code::PermissionDenied, Reason::Forbidden));
    }
}

#[tokio::test]
async fn digests_of_another_key_are_told_apart() {
    let hub = Hub::start().await;
    let mut sender = school(&hub).await;
    sender.key_id[0] ^= 1;
    let changed = (Code::FailedPrecondition, Reason::DigestKeyChanged);
    let request = sender.groups_request(Kind::Pupil, &pupils(1..40));
    assert_eq!(refusal(ask_groups(&hub, &sender.persona, request).await), changed);
    let request = sender.records_request(Kind::Pupil, &["00"], &[]);
    assert_eq!(refusal(ask_records(&hub, &sender.persona, request).await), changed);
}

#[tokio::test]
async fn bad_requests_are_refused_with_the_field() {
    let hub = Hub::start().await;
    let sender = school(&hub).await;
    let good = sender.groups_request(Kind::Enrolment, &enrolments(1..3));
    let group = |group: &str| GroupDigest { group: group.into(), count: 1, digest: vec![0; 16] };
    let with = |groups: Vec<GroupDigest>| CompareGroupsRequest { groups, ..good.clone() };
    let bad_groups = [
        ("kind", CompareGroupsRequest { kind: 0, ..good.clone() }),
        ("kind", CompareGroupsRequest { kind: Kind::Room as i32, ..good.clone() }),
        ("school_year", CompareGroupsRequest { school_year: 26, ..good.clone() }),
        ("key_id", CompareGroupsRequest { key_id: vec![], ..good.clone() }),
        ("groups", with(vec![group("6A1"), group("6A1")])),
        ("groups[1].digest", with(vec![group("6A1"), GroupDigest { digest: vec![0; 15], ..group("6A2") }])),
        ("groups[0].count", with(vec![GroupDigest { count: 0, ..group("6A1") }])),
        ("groups", with((0..10_001).map(|n| group(&n.to_string())).collect())),
        (
            "groups[0].group",
            CompareGroupsRequest { kind: Kind::Pupil as i32, groups: vec![group("A1")], ..good.clone() },
        ),
    ];
    for (field, request) in bad_groups {
        assert_violates(ask_groups(&hub, &sender.persona, request).await, field);
    }
    let good = sender.records_request(Kind::Enrolment, &["6A1"], &enrolments(1..3));
    let record = |key: String| RecordDigest { record_key: key, digest: vec![0; 16] };
    let with = |records: Vec<RecordDigest>| CompareRecordsRequest { records, ..good.clone() };
    let bad_records = [
        ("groups", CompareRecordsRequest { groups: vec![], ..good.clone() }),
        (
            "groups[0]",
            CompareRecordsRequest { kind: Kind::Pupil as i32, groups: vec!["6A1".into()], ..good.clone() },
        ),
        ("records", with(vec![record("A".into()), record("A".into())])),
        ("records[0].digest", with(vec![RecordDigest::default()])),
        ("records", with((0..20_001).map(|n| record(n.to_string())).collect())),
    ];
    for (field, request) in bad_records {
        assert_violates(ask_records(&hub, &sender.persona, request).await, field);
    }
    // The most that is taken.
    let most = with((0..20_000).map(|n| record(n.to_string())).collect());
    assert_eq!(ask_records(&hub, &sender.persona, most).await.unwrap().lacking.len(), 20_000);
}

fn assert_violates<T>(outcome: Result<T, Status>, field: &str) {
    use tonic_types::StatusExt;
    let Err(status) = outcome else { panic!("{field} was taken") };
    let violations = status.get_details_bad_request().map(|b| b.field_violations).unwrap_or_default();
    let fields: Vec<&str> = violations.iter().map(|v| v.field.as_str()).collect();
    assert_eq!((status.code(), fields), (Code::InvalidArgument, vec![field]), "{status:?}");
}
