//! Rules over stored data: their issues open and close when either side is mended or taken away.
use crate::{
    hub::{Hub, OTHER, SCHOOL},
    make::{self, Wrap},
    pushing::{Pushing, batch, end_of, patch, push_one, withdraw_one},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{ErrorGroup, Kind, ListIssuesRequest, Problem},
    registry::v1::{Class, Enrolment, Graduation, Health, Pupil, Record, Staff, TermResult},
};

/// Open findings of a reason at a school, by key.
async fn open(hub: &Hub, school: &str, reason: Reason) -> Vec<Problem> {
    let request = ListIssuesRequest { school_code: school.into(), ..Default::default() };
    let issues = hub.issues(&Persona::vendor(school)).list_issues(request).await.unwrap().into_inner().issues;
    let mut found: Vec<Problem> =
        issues.into_iter().map(|i| i.problem.unwrap()).filter(|p| p.reason() == reason).collect();
    found.sort_by(|a, b| a.record_key.cmp(&b.record_key));
    found
}

async fn keys(hub: &Hub, school: &str, reason: Reason) -> Vec<String> {
    open(hub, school, reason).await.into_iter().map(|p| p.record_key).collect()
}

const NONE: [&str; 0] = [];

fn second(n: u32, class: &str) -> Enrolment {
    Enrolment { enrolment_id: format!("QT{n:06}b"), ..make::enrolment(n, class) }
}

#[tokio::test]
async fn a_pupil_in_two_classes_is_found_on_both_sides() {
    let hub = Hub::start().await;
    let mut all = make::small_school(1..4);
    all.extend([make::class("6A2").wrap(), second(2, "6A2").wrap()]);
    let reply = push_one(&hub, SCHOOL, all).await;
    let found: Vec<_> = reply.problems.iter().map(|p| (p.reason(), p.record_key.as_str(), p.index)).collect();
    let double = Reason::DoubleEnrolment;
    assert_eq!(found, [(double, "QT000002", None), (double, "QT000002b", None)]);
    assert_eq!(keys(&hub, SCHOOL, double).await, ["QT000002", "QT000002b"]);
    assert_eq!(open(&hub, SCHOOL, double).await[0].group(), ErrorGroup::Duplicate);

    // The same again changes nothing, neither here nor there.
    push_one(&hub, SCHOOL, vec![second(2, "6A2").wrap(), make::enrolment(2, "6A1").wrap()]).await;
    assert_eq!(keys(&hub, SCHOOL, double).await.len(), 2);
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Enrolment, "QT000002b")]).await;
    assert_eq!(keys(&hub, SCHOOL, double).await, NONE, "taking one away mends the other");
}

#[tokio::test]
async fn a_pupil_of_two_schools_is_mended_by_either() {
    let hub = Hub::start().await;
    let double = Reason::DoubleEnrolment;
    push_one(&hub, SCHOOL, make::small_school(1..4)).await;
    push_one(&hub, OTHER, make::small_school(3..6)).await;
    assert_eq!(keys(&hub, SCHOOL, double).await, ["QT000003"]);
    let foreign = open(&hub, OTHER, double).await;
    assert_eq!(foreign.iter().map(|p| p.record_key.as_str()).collect::<Vec<_>>(), ["QT000003"]);
    // Nothing of the finding tells where the other one is.
    assert_eq!((foreign[0].value.as_str(), foreign[0].parent_key.as_str()), ("HS000003", ""));
    assert!(!format!("{foreign:?}").contains(SCHOOL));

    let moved_out = Enrolment {
        student_status: "04".into(),
        to_school: Some(OTHER.into()),
        status_on: "2026-10-01".into(),
        ..make::enrolment(3, "6A1")
    };
    push_one(&hub, SCHOOL, vec![moved_out.wrap()]).await;
    assert_eq!((keys(&hub, SCHOOL, double).await.len(), keys(&hub, OTHER, double).await.len()), (0, 0));

    // Mended by the other school: it says another pupil.
    push_one(&hub, SCHOOL, make::small_school(4..5)).await;
    assert_eq!((keys(&hub, SCHOOL, double).await.len(), keys(&hub, OTHER, double).await.len()), (1, 1));
    let other_pupil = Enrolment { student_code: make::code(5), ..make::enrolment(4, "6A1") };
    push_one(&hub, OTHER, vec![other_pupil.wrap()]).await;
    assert_eq!(keys(&hub, SCHOOL, double).await, NONE);
    assert_eq!(
        keys(&hub, OTHER, double).await,
        ["QT000004", "QT000005"],
        "which is now twice in class itself"
    );
}

#[tokio::test]
async fn codes_that_are_not_given_yet_are_nobody_elses() {
    let hub = Hub::start().await;
    let temporary = |n| {
        let code = "TAM-000001".to_owned();
        let pupil =
            Pupil { student_code: code.clone(), personal_id: Some(make::personal_id(n)), ..make::pupil(1) };
        vec![
            make::campus().wrap(),
            make::class("6A1").wrap(),
            pupil.wrap(),
            Enrolment { student_code: code, ..make::enrolment(1, "6A1") }.wrap(),
        ]
    };
    push_one(&hub, SCHOOL, temporary(1)).await;
    push_one(&hub, OTHER, temporary(2)).await;
    assert_eq!(keys(&hub, OTHER, Reason::DoubleEnrolment).await, NONE);
}

#[tokio::test]
async fn a_status_follows_the_automaton() {
    let hub = Hub::start().await;
    let status = |status: &str| Enrolment { student_status: status.into(), ..make::enrolment(1, "6A1") };
    let changed = Reason::StatusChange;
    push_one(&hub, SCHOOL, make::small_school(1..2)).await;
    let dropped = Enrolment { dropout_reason: Some("01".into()), ..status("05") };
    push_one(&hub, SCHOOL, vec![dropped.wrap()]).await;
    assert_eq!(keys(&hub, SCHOOL, changed).await, NONE, "01 to 05");
    push_one(&hub, SCHOOL, vec![status("01").wrap()]).await;
    let found = open(&hub, SCHOOL, changed).await;
    assert_eq!((found[0].record_key.as_str(), found[0].value.as_str()), ("QT000001", "05 > 01"));
    // Another wrong one is judged from the last that was in order, and so is the right one.
    push_one(&hub, SCHOOL, vec![status("08").wrap()]).await;
    assert_eq!(open(&hub, SCHOOL, changed).await[0].value, "05 > 01");
    push_one(&hub, SCHOOL, vec![status("03").wrap()]).await;
    assert_eq!(keys(&hub, SCHOOL, changed).await, NONE, "05 to 03");
}

#[tokio::test]
async fn age_is_judged_against_the_grade() {
    let hub = Hub::start().await;
    let age = Reason::AgeForGrade;
    let born =
        |n, year: i32| Pupil { birth_date: format!("{year}-03-04"), personal_id: None, ..make::pupil(n) };
    // Grade 6 is at 11, eight to fourteen (C.4).
    let mut all = vec![make::campus().wrap(), make::class("6A1").wrap()];
    for (n, year) in [(1, 2012), (2, 2011), (3, 2018), (4, 2019)] {
        all.extend([born(n, year).wrap(), make::enrolment(n, "6A1").wrap()]);
    }
    push_one(&hub, SCHOOL, all).await;
    assert_eq!(keys(&hub, SCHOOL, age).await, ["QT000002", "QT000004"]);
    push_one(&hub, SCHOOL, vec![born(2, 2015).wrap(), born(3, 2005).wrap()]).await;
    assert_eq!(
        keys(&hub, SCHOOL, age).await,
        ["QT000003", "QT000004"],
        "the birth date was mended, another one broken"
    );
    let third = Enrolment { grade: "3".into(), ..make::enrolment(4, "6A1") };
    push_one(&hub, SCHOOL, vec![third.wrap()]).await;
    assert_eq!(keys(&hub, SCHOOL, age).await, ["QT000003"], "the grade was mended");
}

#[tokio::test]
async fn a_class_has_room_for_55() {
    let hub = Hub::start().await;
    let size = Reason::ClassSize;
    push_one(&hub, SCHOOL, make::small_school(1..56)).await;
    assert_eq!(keys(&hub, SCHOOL, size).await, NONE);
    push_one(&hub, SCHOOL, vec![make::pupil(56).wrap(), make::enrolment(56, "6A1").wrap()]).await;
    let found = open(&hub, SCHOOL, size).await;
    assert_eq!(
        (found[0].record_key.as_str(), found[0].value.as_str(), found[0].kind()),
        ("6A1", "56", Kind::Class)
    );
    let moved = vec![make::class("6A2").wrap(), make::enrolment(56, "6A2").wrap()];
    push_one(&hub, SCHOOL, moved).await;
    assert_eq!(keys(&hub, SCHOOL, size).await, NONE);
}

#[tokio::test]
async fn a_homeroom_teacher_is_on_the_staff() {
    let hub = Hub::start().await;
    let teacher = Reason::TeacherNotActive;
    let led_by = |class: &str, n: u32| {
        Class { homeroom_teacher_code: Some(format!("GV{n:06}")), ..make::class(class) }.wrap()
    };
    push_one(&hub, SCHOOL, vec![make::campus().wrap(), led_by("6A1", 1), led_by("6A2", 2)]).await;
    assert_eq!(keys(&hub, SCHOOL, teacher).await, NONE, "no staff was sent at all");
    push_one(&hub, SCHOOL, vec![make::staff(1).wrap()]).await;
    assert_eq!(keys(&hub, SCHOOL, teacher).await, ["6A2"]);
    push_one(&hub, SCHOOL, vec![make::staff(2).wrap()]).await;
    assert_eq!(keys(&hub, SCHOOL, teacher).await, NONE);
    push_one(&hub, SCHOOL, vec![Staff { staff_status: "6".into(), ..make::staff(1) }.wrap()]).await;
    assert_eq!(keys(&hub, SCHOOL, teacher).await, ["6A1"], "retired");
    push_one(&hub, SCHOOL, vec![led_by("6A1", 2)]).await;
    assert_eq!(keys(&hub, SCHOOL, teacher).await, NONE);
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Staff, "GV000002")]).await;
    assert_eq!(keys(&hub, SCHOOL, teacher).await, ["6A1", "6A2"]);
}

#[tokio::test]
async fn nobody_shrinks_by_more_than_two_centimetres() {
    let hub = Hub::start().await;
    let drop = Reason::HeightDrop;
    let measured = |n, term: &str, on: &str, height_cm| {
        Health { term: term.into(), measured_on: on.into(), height_cm, ..make::health(n) }.wrap()
    };
    let first = |n| measured(n, "1", "2026-09-20", 145.0);
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap(), make::pupil(2).wrap(), first(1), first(2)]).await;
    let second = |n, height| measured(n, "2", "2026-11-20", height);
    let reply = push_one(&hub, SCHOOL, vec![second(1, 143.0), second(2, 142.9)]).await;
    assert_eq!(keys(&hub, SCHOOL, drop).await, ["2/HS000002"], "exactly two is no outlier (C.10)");
    let found: Vec<_> = reply.problems.iter().map(|p| (p.reason(), p.value.as_str())).collect();
    assert_eq!(found, [(drop, "")], "a sensitive value is not told");
    // Mended by the earlier one.
    push_one(&hub, SCHOOL, vec![measured(2, "1", "2026-09-20", 141.0)]).await;
    assert_eq!(keys(&hub, SCHOOL, drop).await, NONE);
    push_one(&hub, SCHOOL, vec![measured(1, "1", "2026-09-20", 150.0)]).await;
    assert_eq!(keys(&hub, SCHOOL, drop).await, ["2/HS000001"], "broken by the earlier one");
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Health, "1/HS000001")]).await;
    assert_eq!(keys(&hub, SCHOOL, drop).await, NONE);
}

#[tokio::test]
async fn a_result_has_an_enrolment_in_its_class_and_term() {
    let hub = Hub::start().await;
    let not = Reason::NotEnrolled;
    let of =
        |n, term: &str, class: &str| TermResult { term: term.into(), ..make::term_result(n, class) }.wrap();
    let mut all = make::small_school(1..4);
    all.extend([make::class("6A2").wrap(), make::pupil(9).wrap()]);
    all.extend([of(1, "1", "6A1"), of(2, "1", "6A2"), of(9, "1", "6A1")]);
    push_one(&hub, SCHOOL, all).await;
    assert_eq!(
        keys(&hub, SCHOOL, not).await,
        ["1/HS000002", "1/HS000009"],
        "another class, and no enrolment at all"
    );
    push_one(&hub, SCHOOL, vec![make::enrolment(9, "6A1").wrap(), second(2, "6A2").wrap()]).await;
    assert_eq!(keys(&hub, SCHOOL, not).await, NONE);
    // Who moved out in term 1 has a result of term 1, and none of term 2.
    let moved =
        Enrolment { student_status: "04".into(), to_school: Some(OTHER.into()), ..make::enrolment(1, "6A1") };
    push_one(&hub, SCHOOL, vec![moved.wrap()]).await;
    assert_eq!(keys(&hub, SCHOOL, not).await, NONE);
    push_one(&hub, SCHOOL, vec![of(1, "2", "6A1")]).await;
    assert_eq!(keys(&hub, SCHOOL, not).await, ["2/HS000001"]);
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Enrolment, "QT000009")]).await;
    assert_eq!(keys(&hub, SCHOOL, not).await, ["1/HS000009", "2/HS000001"], "its enrolment went away");
}

#[tokio::test]
async fn only_pupils_of_the_last_grade_graduate() {
    let hub = Hub::start().await;
    let not = Reason::NotEnrolled;
    let graduation = |code: String, free: bool| {
        let class_code = (!free).then(|| "6A1".to_owned());
        let graduated = Some(true);
        Graduation {
            student_code: code,
            class_code,
            is_free_candidate: Some(free),
            graduated,
            ..Graduation::default()
        }
    };
    let mut all: Vec<Record> = make::small_school(1..3);
    all.extend([graduation(make::code(1), false).wrap(), graduation("TD000007".into(), true).wrap()]);
    push_one(&hub, SCHOOL, all).await;
    assert_eq!(keys(&hub, SCHOOL, not).await, ["HS000001"], "grade 6; a free candidate has no enrolment");
    push_one(&hub, SCHOOL, vec![Enrolment { grade: "9".into(), ..make::enrolment(1, "6A1") }.wrap()]).await;
    assert_eq!(keys(&hub, SCHOOL, not).await, NONE);
}

fn child(n: u32, name: &str, id: Option<u32>, mother: &str) -> Pupil {
    let personal_id = id.map(make::personal_id);
    Pupil { full_name: name.into(), personal_id, mother_name: Some(mother.into()), ..make::pupil(n) }
}

#[tokio::test]
async fn one_child_under_two_codes_is_found_by_name_birth_and_mother() {
    let hub = Hub::start().await;
    let likely = Reason::LikelyDuplicate;
    let (name, mother) = ("Đặng Thị Hường", "Phạm Thị Lan");
    push_one(
        &hub,
        SCHOOL,
        vec![child(1, name, Some(1), mother).wrap(), child(2, "Lê Thị Bình", None, mother).wrap()],
    )
    .await;
    // Without accents, without number, at another school.
    let twin = child(11, "Dang Thi Huong", None, "Pham Thi Lan");
    let reply = push_one(&hub, OTHER, vec![twin.clone().wrap()]).await;
    assert!(reply.problems.iter().any(|p| p.reason() == likely && p.record_key == "HS000011"));
    assert_eq!(keys(&hub, SCHOOL, likely).await, ["HS000001"]);
    assert_eq!(keys(&hub, OTHER, likely).await, ["HS000011"]);
    let told = format!("{:?}", open(&hub, OTHER, likely).await);
    assert!(!told.contains(SCHOOL) && !told.contains("HS000001") && !told.contains(name), "{told}");
    // Mended by either: another mother; then again; then a number of its own.
    push_one(&hub, OTHER, vec![Pupil { mother_name: Some("Vũ Thị Mai".into()), ..twin.clone() }.wrap()])
        .await;
    assert_eq!((keys(&hub, SCHOOL, likely).await.len(), keys(&hub, OTHER, likely).await.len()), (0, 0));
    push_one(&hub, OTHER, vec![twin.clone().wrap()]).await;
    assert_eq!((keys(&hub, SCHOOL, likely).await.len(), keys(&hub, OTHER, likely).await.len()), (1, 1));
    push_one(&hub, OTHER, vec![Pupil { personal_id: Some(make::personal_id(11)), ..twin.clone() }.wrap()])
        .await;
    assert_eq!((keys(&hub, SCHOOL, likely).await.len(), keys(&hub, OTHER, likely).await.len()), (0, 0));
    push_one(&hub, OTHER, vec![twin.wrap()]).await;
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Pupil, "HS000001")]).await;
    assert_eq!(keys(&hub, OTHER, likely).await, NONE, "the other one was taken away");
}

#[tokio::test]
async fn namesakes_are_two_children() {
    let hub = Hub::start().await;
    let name = "Nguyễn Thị Hương";
    let sister = Pupil { birth_date: "2015-03-05".into(), ..child(3, name, None, "Phạm Thị Lan") };
    // One father's name, but two mothers.
    let of_father = |n, id, mother| {
        let father_name = Some("Nguyễn Văn Vinh".into());
        Pupil { father_name, ..child(n, "Nguyễn Quang Sơn", id, mother) }
    };
    let records = vec![
        child(1, name, None, "Phạm Thị Lan").wrap(),
        child(2, name, None, "Vũ Thị Mai").wrap(),
        sister.wrap(),
        of_father(6, None, "Nguyễn Thị Tuyết").wrap(),
        of_father(7, Some(7), "Đặng Thị Dung").wrap(),
        make::pupil(4).wrap(),
        Pupil { personal_id: None, ..make::pupil(5) }.wrap(),
    ];
    push_one(&hub, SCHOOL, records).await;
    assert_eq!(keys(&hub, SCHOOL, Reason::LikelyDuplicate).await, NONE);
}

#[tokio::test]
async fn a_pupil_who_moved_has_one_number_at_two_schools() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    let reply = push_one(&hub, OTHER, vec![make::pupil(1).wrap()]).await;
    assert_eq!(reply.problems, [], "one code, one person");
}

/// Two schools that push at once do not see each other's batches before they commit; the later end sees both.
#[tokio::test]
async fn two_schools_that_push_at_once_find_each_other() {
    let hub = Hub::start().await;
    for school in [SCHOOL, OTHER] {
        push_one(&hub, school, vec![make::campus().wrap(), make::class("6A1").wrap()]).await;
    }
    for round in 0..6_u32 {
        let of = |school: &'static str| {
            let numbers = round * 100..round * 100 + 8;
            let both = |n| [make::pupil(n).wrap(), make::enrolment(n, "6A1").wrap()];
            let batches = vec![batch(1, numbers.flat_map(both).collect())];
            let ingest = hub.ingest(&Persona::vendor(school));
            async move {
                let (mut pushing, _) = Pushing::open(ingest, patch(school)).await.unwrap();
                pushing.batch(batches[0].clone()).await.unwrap();
                pushing.end(end_of(&batches)).await.unwrap();
            }
        };
        tokio::join!(of(SCHOOL), of(OTHER));
        let expected = (round as usize + 1) * 8;
        for school in [SCHOOL, OTHER] {
            assert_eq!(
                keys(&hub, school, Reason::DoubleEnrolment).await.len(),
                expected,
                "{school} in round {round}"
            );
        }
    }
}
