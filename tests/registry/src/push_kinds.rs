//! The kinds beside the core ones, and records with every list filled: stored, judged, read back as they were sent.
use crate::{
    hub::{Hub, SCHOOL},
    make::{self, Wrap},
    pushing::{counted, findings, push_one},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{GetRecordRequest, Kind},
    registry::v1::{
        Attendance, Award, FreeCandidate, Graduation, PolicyGroup, Pupil, Record, Retake, Staff,
        SubjectScore, Training, YearlyEvaluation, record,
    },
};

fn attendance(n: u32) -> Attendance {
    Attendance {
        attended_on: "2026-10-14".into(),
        student_code: make::code(n),
        session: "3".into(),
        class_code: "6A1".into(),
        status: "P".into(),
        reason: Some("Ốm".into()),
        noted_by: Some("GV000001".into()),
    }
}

fn retake(n: u32) -> Retake {
    Retake {
        student_code: make::code(n),
        class_code: Some("6A1".into()),
        grade: Some("6".into()),
        learning_rating: Some("3".into()),
        conduct: Some("2".into()),
        promoted: Some(true),
        subject_scores: vec![SubjectScore {
            subject: "TOC".into(),
            score: Some(5.0),
            ..SubjectScore::default()
        }],
        ..Retake::default()
    }
}

fn graduation(code: &str) -> Graduation {
    Graduation {
        student_code: code.into(),
        full_name: Some("Nguyễn Thị Hương".into()),
        is_free_candidate: Some(true),
        graduated: Some(true),
        ..Graduation::default()
    }
}

fn candidate(n: u32) -> FreeCandidate {
    FreeCandidate {
        student_code: format!("TD{n:06}"),
        full_name: "Nguyễn Thị Hương".into(),
        birth_date: Some("2015-03-04".into()),
        sex: Some("2".into()),
        personal_id: Some(make::personal_id(n)),
        ..FreeCandidate::default()
    }
}

async fn read(hub: &Hub, kind: Kind, key: &str) -> Record {
    let request = GetRecordRequest {
        school_code: SCHOOL.into(),
        kind: kind as i32,
        record_key: key.into(),
        ..Default::default()
    };
    let reply = hub.records(&Persona::vendor(SCHOOL)).get_record(request).await.unwrap().into_inner();
    reply.record.expect("a live record")
}

#[tokio::test]
async fn absences_retakes_graduation_and_free_candidates_are_records_like_all_others() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..2)).await;
    let all =
        vec![attendance(1).wrap(), retake(1).wrap(), graduation("TD000007").wrap(), candidate(7).wrap()];
    let first = push_one(&hub, SCHOOL, all.clone()).await;
    assert_eq!(first.problems, vec![], "sound records have no finding");
    assert_eq!(counted(&first.counts), [4, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(counted(&push_one(&hub, SCHOOL, all).await.counts), [0, 0, 4, 0, 0, 0, 0, 0]);
    let rows = hub.rows().await;
    for row in [
        format!("attendance_record {SCHOOL} 2026/2026-10-14/HS000001/3 1 f"),
        format!("retake_record {SCHOOL} 2026/HS000001 1 f"),
        format!("graduation_record {SCHOOL} 2026/TD000007 1 f"),
        format!("free_candidate_record {SCHOOL} 2026/TD000007 1 f"),
    ] {
        assert!(rows.contains(&row), "{row} in {rows:?}");
    }
    // The number of a candidate is sealed like a pupil's.
    let sealed = "select count(*) from free_candidate_record where secret is not null and personal_id_bidx is not null";
    assert_eq!(hub.count(sealed).await, 1);
}

#[tokio::test]
async fn an_absence_waits_for_its_pupil_and_a_graduate_for_nobody() {
    let hub = Hub::start().await;
    let reply = push_one(&hub, SCHOOL, vec![attendance(9).wrap(), graduation("TD000009").wrap()]).await;
    assert_eq!(counted(&reply.counts), [1, 0, 0, 0, 1, 0, 0, 0]);
}

#[tokio::test]
async fn a_record_with_its_lists_comes_back_as_it_was_sent() {
    let hub = Hub::start().await;
    let pupil = Pupil {
        policy_group: Some("02".into()),
        further_policy_groups: vec![PolicyGroup { policy_group: "04".into() }],
        awards: vec![Award {
            award: Some("01".into()),
            content: Some("Giải Nhì".into()),
            ..Award::default()
        }],
        personal_id: None,
        ..make::pupil(1)
    };
    let staff = Staff {
        trainings: vec![Training { to_date: Some("2030-06-30".into()), ..Training::default() }],
        yearly_evaluations: vec![YearlyEvaluation {
            school_year: 2025,
            public_employee_rating: Some("2".into()),
            ..YearlyEvaluation::default()
        }],
        personal_id: None,
        ..make::staff(1)
    };
    let reply = push_one(&hub, SCHOOL, vec![pupil.clone().wrap(), staff.clone().wrap()]).await;
    assert_eq!(
        findings(&reply),
        [(Reason::Missing, "personal_id".to_owned()), (Reason::Missing, "personal_id".to_owned())]
    );
    assert_eq!(read(&hub, Kind::Pupil, &make::code(1)).await.record, Some(record::Record::Pupil(pupil)));
    assert_eq!(read(&hub, Kind::Staff, "GV000001").await.record, Some(record::Record::Staff(staff)));
}

#[tokio::test]
async fn a_list_without_published_values_takes_what_fits_its_pattern() {
    let hub = Hub::start().await;
    let boards = |code: &str| Pupil { day_boarding_type: Some(code.into()), ..make::pupil(1) }.wrap();
    assert_eq!(findings(&push_one(&hub, SCHOOL, vec![boards("BT07")]).await), []);
    let wrong = push_one(&hub, SCHOOL, vec![boards("bán trú")]).await;
    assert_eq!(findings(&wrong), [(Reason::BadFormat, "day_boarding_type".to_owned())]);
    // The row that opens the list is no value of it.
    let star = push_one(&hub, SCHOOL, vec![boards("*")]).await;
    assert_eq!(findings(&star), [(Reason::BadFormat, "day_boarding_type".to_owned())]);
}
