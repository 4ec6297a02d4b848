//! Every rule about a field: its reason, its path, and what of the value is repeated.
use crate::{
    hub::{Hub, SCHOOL, Setup},
    make::{self, Wrap},
    pushing::{counted, findings, push_one},
};
use eduhub_faults::{Reason, Severity};
use eduhub_proto::{
    common::v1::Problem,
    registry::v1::{Class, Health, Pupil, Record, Staff, TermResult},
};
use unicode_normalization::UnicodeNormalization;

/// A broken record, and the one finding that it must have: reason, field, repeated value.
struct Case(Record, Reason, &'static str, &'static str);

fn pupil(change: impl FnOnce(&mut Pupil)) -> Record {
    let mut record = make::pupil(1);
    change(&mut record);
    record.wrap()
}

fn class(change: impl FnOnce(&mut Class)) -> Record {
    let mut record = make::class("6A1");
    change(&mut record);
    record.wrap()
}

fn result(change: impl FnOnce(&mut TermResult)) -> Record {
    let mut record = make::term_result(1, "6A1");
    change(&mut record);
    record.wrap()
}

fn health(change: impl FnOnce(&mut Health)) -> Record {
    let mut record = make::health(1);
    change(&mut record);
    record.wrap()
}

fn staff(change: impl FnOnce(&mut Staff)) -> Record {
    let mut record = make::staff(1);
    change(&mut record);
    record.wrap()
}

fn refused_pupils() -> Vec<Case> {
    use Reason::{
        BadDate, BadFormat, BadSpacing, DigitInName, Missing, NotNfc, PersonalIdFuture, PersonalIdLength,
        PersonalIdNotDigits, RetiredCode, TooLong, TooShort, UnknownCode,
    };
    let long = "x".repeat(51);
    let nfd: String = "Nguyễn Thị Hương".nfd().collect();
    vec![
        Case(pupil(|p| p.full_name.clear()), Missing, "full_name", ""),
        Case(pupil(|p| p.full_name = "A".into()), TooShort, "full_name", "A"),
        Case(pupil(|p| p.full_name = long.clone()), TooLong, "full_name", Box::leak(long.clone().into())),
        Case(pupil(|p| p.full_name = nfd.clone()), NotNfc, "full_name", Box::leak(nfd.clone().into())),
        Case(pupil(|p| p.full_name = "Lê  An".into()), BadSpacing, "full_name", "Lê  An"),
        Case(pupil(|p| p.full_name = " Lê An".into()), BadSpacing, "full_name", " Lê An"),
        Case(pupil(|p| p.full_name = "Lê An 2".into()), DigitInName, "full_name", "Lê An 2"),
        Case(pupil(|p| p.birth_date = "40179".into()), BadDate, "birth_date", "40179"),
        Case(pupil(|p| p.birth_date = "2015-02-29".into()), BadDate, "birth_date", "2015-02-29"),
        Case(pupil(|p| p.birth_date = "2026-11-23".into()), BadDate, "birth_date", "2026-11-23"),
        Case(pupil(|p| p.birth_date = "04/03/2015".into()), BadDate, "birth_date", "04/03/2015"),
        Case(pupil(|p| p.sex = "7".into()), UnknownCode, "sex", "7"),
        Case(pupil(|p| p.sex = "Nữ".into()), BadFormat, "sex", "Nữ"),
        Case(pupil(|p| p.contact_phone = Some("912345678".into())), BadFormat, "contact_phone", "912345678"),
        Case(pupil(|p| p.nationality = Some("ZZ".into())), UnknownCode, "nationality", "ZZ"),
        Case(pupil(|p| p.nationality = Some("SU".into())), RetiredCode, "nationality", "SU"),
        Case(pupil(|p| p.commune_code = Some("99999".into())), UnknownCode, "commune_code", "99999"),
        // Sensitive and secret: the finding without the value.
        Case(pupil(|p| p.ethnicity = Some("99".into())), UnknownCode, "ethnicity", ""),
        Case(pupil(|p| p.policy_group = Some("x9".into())), BadFormat, "policy_group", ""),
        Case(pupil(|p| p.personal_id = Some("03731500012".into())), PersonalIdLength, "personal_id", ""),
        Case(pupil(|p| p.personal_id = Some("O37315000123".into())), PersonalIdNotDigits, "personal_id", ""),
        Case(pupil(|p| p.personal_id = Some("037515000001".into())), PersonalIdFuture, "personal_id", ""),
    ]
}

fn refused_of_others() -> Vec<Case> {
    use Reason::{BadFormat, OutOfRange, TooLong, UnknownCode};
    vec![
        Case(staff(|s| s.religion = Some("77".into())), UnknownCode, "religion", ""),
        Case(staff(|s| s.email = "minh".into()), BadFormat, "email", "minh"),
        Case(staff(|s| s.subject_taught = Some("TOAN".into())), UnknownCode, "subject_taught", "TOAN"),
        Case(class(|c| c.class_code = "6 A".into()), BadFormat, "class_code", "6 A"),
        Case(class(|c| c.grade = "19".into()), UnknownCode, "grade", "19"),
        Case(class(|c| c.sort_order = Some(10_000)), OutOfRange, "sort_order", "10000"),
        Case(result(|r| r.days_absent = Some(-1)), OutOfRange, "days_absent", "-1"),
        Case(
            result(|r| r.subject_scores[0].score = Some(10.5)),
            OutOfRange,
            "subject_scores[0].score",
            "10.5",
        ),
        Case(
            result(|r| r.subject_scores[0].score = Some(7.25)),
            BadFormat,
            "subject_scores[0].score",
            "7.25",
        ),
        Case(
            result(|r| r.subject_scores[0].score = Some(f64::NAN)),
            OutOfRange,
            "subject_scores[0].score",
            "NaN",
        ),
        Case(
            result(|r| r.subject_scores[0].subject = "TOX".into()),
            UnknownCode,
            "subject_scores[0].subject",
            "TOX",
        ),
        Case(
            result(|r| r.subject_scores = vec![r.subject_scores[0].clone(); 31]),
            TooLong,
            "subject_scores",
            "",
        ),
        Case(result(|r| r.term = "4".into()), BadFormat, "term", "4"),
        Case(health(|h| h.height_cm = 301.0), OutOfRange, "height_cm", ""),
        Case(health(|h| h.blood_group = Some("C".into())), BadFormat, "blood_group", ""),
    ]
}

#[tokio::test]
async fn a_broken_field_refuses_the_record_with_its_reason_and_path() {
    // National code lists change; here is a code that was valid until the end of 2025.
    let retired = "insert into code values ('DM_NUOC', 'SU', 'Liên Xô', null, '2025-12-31')";
    let hub = Hub::with(Setup { before: vec![retired.into()], ..Setup::default() }).await;
    push_one(&hub, SCHOOL, make::small_school(1..2)).await;
    for Case(record, reason, field, value) in refused_pupils().into_iter().chain(refused_of_others()) {
        let reply = push_one(&hub, SCHOOL, vec![record]).await;
        assert_eq!(findings(&reply), [(reason, field.to_owned())], "{reason:?} {field}");
        let p = &reply.problems[0];
        assert_eq!(p.value, value, "{reason:?} {field}");
        assert_eq!(p.severity(), Severity::Error, "{reason:?} {field}");
        assert!(!p.message_vi.is_empty() && !p.message_en.is_empty());
        assert_eq!(counted(&reply.counts), [0, 0, 0, 1, 0, 0, 0, 0], "{reason:?} {field}");
    }
    assert_eq!(
        hub.count("select count(*) from change_log").await,
        4,
        "nothing of a refused record is stored"
    );
}

fn doubtful() -> Vec<Case> {
    use Reason::{Implausible, Missing, NameAllCaps, PersonalIdPrefix, PersonalIdSex, PersonalIdYear};
    vec![
        Case(pupil(|p| p.personal_id = None), Missing, "personal_id", ""),
        Case(pupil(|p| p.full_name = "LÊ THỊ AN".into()), NameAllCaps, "full_name", "LÊ THỊ AN"),
        Case(pupil(|p| p.sex = "1".into()), PersonalIdSex, "personal_id", ""),
        Case(pupil(|p| p.birth_date = "2014-03-04".into()), PersonalIdYear, "personal_id", ""),
        Case(pupil(|p| p.personal_id = Some("003315000001".into())), PersonalIdPrefix, "personal_id", ""),
        Case(health(|h| h.height_cm = 250.0), Implausible, "height_cm", ""),
        Case(result(|r| r.days_absent = Some(91)), Implausible, "days_absent", "91"),
    ]
}

#[tokio::test]
async fn a_doubtful_field_is_accepted_with_a_warning() {
    for Case(record, reason, field, value) in doubtful() {
        let hub = Hub::start().await;
        push_one(&hub, SCHOOL, make::small_school(5..6)).await;
        let mut parent = make::pupil(1);
        parent.personal_id = Some(make::personal_id(77));
        push_one(&hub, SCHOOL, vec![parent.wrap(), make::enrolment(1, "6A1").wrap()]).await;
        let reply = push_one(&hub, SCHOOL, vec![record]).await;
        assert_eq!(findings(&reply), [(reason, field.to_owned())]);
        let Problem { severity, value: repeated, .. } = &reply.problems[0];
        assert_eq!((*severity, repeated.as_str()), (Severity::Warning as i32, value), "{reason:?} {field}");
        let [created, updated, _, rejected, .., warnings] = counted(&reply.counts);
        assert_eq!((created + updated, rejected, warnings), (1, 0, 1), "{reason:?} {field}");
    }
}

#[tokio::test]
async fn an_unknown_code_comes_with_the_nearest_ones_a_retired_one_without() {
    let retired = "insert into code values ('DM_NUOC', 'SU', 'Liên Xô', null, '2025-12-31')";
    let hub = Hub::with(Setup { before: vec![retired.into()], ..Setup::default() }).await;
    let reply = push_one(&hub, SCHOOL, vec![pupil(|p| p.nationality = Some("VM".into()))]).await;
    let near = &reply.problems[0].suggestions;
    assert!(near.contains(&"VN".to_owned()) && near.len() <= 3, "{near:?}");
    let reply = push_one(&hub, SCHOOL, vec![pupil(|p| p.nationality = Some("SU".into()))]).await;
    assert_eq!((reply.problems[0].reason(), reply.problems[0].suggestions.len()), (Reason::RetiredCode, 0));
}

#[tokio::test]
async fn all_findings_of_a_record_come_at_once_with_its_place_in_the_batch() {
    let hub = Hub::start().await;
    let bad = pupil(|p| {
        p.full_name = "Lê  An".into();
        p.birth_date = "hôm qua".into();
        p.sex = "9".into();
    });
    let reply = push_one(&hub, SCHOOL, vec![make::pupil(2).wrap(), bad]).await;
    let found: Vec<_> = findings(&reply).into_iter().map(|f| f.1).collect();
    assert_eq!(found, ["full_name", "birth_date", "sex"]);
    assert!(reply.problems.iter().all(|p| p.index == Some(1) && p.record_key == "HS000001"));
    assert_eq!(counted(&reply.counts), [1, 0, 0, 1, 0, 0, 0, 0]);
}
