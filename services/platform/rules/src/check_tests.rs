use super::*;
use crate::CodeTable;
use eduhub_proto::registry::v1::{Health, Pupil, SubjectScore, TermResult};
use time::macros::date;

fn lists() -> CodeTable {
    let mut t = CodeTable::default();
    for (list, codes) in [
        ("DM_GIOI_TINH", vec!["0", "1", "2"]),
        ("DM_DAN_TOC", vec!["01", "02"]),
        ("DM_NUOC", vec!["VN"]),
        ("DM_TINH", vec!["37"]),
        ("DM_XA", vec!["14329"]),
        ("DM_MON_HOC", vec!["TOC"]),
        ("DM_KHU_VUC_TUYEN_SINH", vec!["1"]),
        ("DM_NHOM_MAU", vec!["O"]),
        ("DM_KHOI", vec!["6"]),
        ("DM_HOC_LUC", vec!["2"]),
        ("DM_HANH_KIEM", vec!["1"]),
    ] {
        for c in codes {
            t.insert(list, c, None, None);
        }
    }
    t
}

fn pupil() -> Pupil {
    Pupil {
        student_code: "3700000001".into(),
        full_name: "Nguyễn Thị Hương".into(),
        birth_date: "2015-03-04".into(),
        sex: "2".into(),
        personal_id: Some("037315000123".into()),
        ethnicity: Some("01".into()),
        nationality: Some("VN".into()),
        province_code: Some("37".into()),
        commune_code: Some("14329".into()),
        birth_place: Some("Ninh Bình".into()),
        contact_phone: Some("0912345678".into()),
        area: Some("1".into()),
        disabled_not_assessed: Some(false),
        father_ethnic_minority: Some(false),
        mother_ethnic_minority: Some(false),
        from_difficult_area: Some(false),
        tuition_reduced: Some(false),
        study_cost_support: Some(false),
        ..Pupil::default()
    }
}

fn found(record: &impl Record) -> Vec<(Reason, String)> {
    let lists = lists();
    let checker = Checker::new(&lists, date!(2026 - 11 - 01));
    let findings = checker.check(record);
    findings.iter().map(|f| (Reason::try_from(f.reason).unwrap(), f.field.clone())).collect()
}

#[test]
fn a_clean_pupil_has_no_finding() {
    assert_eq!(found(&pupil()), vec![]);
}

#[test]
fn all_findings_come_at_once_with_kind_and_key() {
    let bad = Pupil {
        full_name: "nguyễn  an".into(),
        birth_date: "40179".into(),
        sex: "7".into(),
        ethnicity: Some("88".into()),
        ..pupil()
    };
    assert_eq!(
        found(&bad),
        vec![
            (Reason::BadSpacing, "full_name".into()),
            (Reason::BadDate, "birth_date".into()),
            (Reason::UnknownCode, "sex".into()),
            (Reason::UnknownCode, "ethnicity".into()),
        ]
    );
    let lists = lists();
    let f = &Checker::new(&lists, date!(2026 - 11 - 01)).check(&bad)[0];
    assert_eq!((f.kind, f.record_key.as_str()), (4, "3700000001"));
}

#[test]
fn values_of_sensitive_fields_are_not_repeated() {
    let lists = lists();
    let checker = Checker::new(&lists, date!(2026 - 11 - 01));
    let secret = Pupil { personal_id: Some("03731500012".into()), ethnicity: Some("99".into()), ..pupil() };
    let findings = checker.check(&secret);
    assert_eq!(findings.len(), 2);
    assert!(findings.iter().all(|f| f.value.is_empty()), "{findings:?}");
}

#[test]
fn expected_but_absent_is_a_warning_required_is_an_error() {
    let lists = lists();
    let checker = Checker::new(&lists, date!(2026 - 11 - 01));
    let f = checker.check(&Pupil { personal_id: None, full_name: String::new(), ..pupil() });
    let severities: Vec<_> = f.iter().map(|p| (p.field.as_str(), p.severity)).collect();
    assert_eq!(
        severities,
        vec![("full_name", Severity::Error as i32), ("personal_id", Severity::Warning as i32)]
    );
}

#[test]
fn lists_are_walked_with_paths_and_plausible_ranges_warn() {
    let scores = vec![
        SubjectScore { subject: "TOC".into(), score: Some(7.2), ..SubjectScore::default() },
        SubjectScore { subject: "XXX".into(), score: Some(10.5), ..SubjectScore::default() },
    ];
    let result = TermResult {
        term: "1".into(),
        student_code: "3700000001".into(),
        class_code: "6A1".into(),
        grade: Some("6".into()),
        learning_rating: Some("2".into()),
        conduct: Some("1".into()),
        days_absent: Some(0),
        subject_scores: scores,
        ..TermResult::default()
    };
    assert_eq!(
        found(&result),
        vec![
            (Reason::UnknownCode, "subject_scores[1].subject".into()),
            (Reason::OutOfRange, "subject_scores[1].score".into()),
        ]
    );
    let health = Health {
        term: "1".into(),
        student_code: "3700000001".into(),
        measured_on: "2026-09-20".into(),
        height_cm: 250.0,
        weight_kg: 30.0,
        blood_group: Some("O".into()),
        ..Health::default()
    };
    assert_eq!(found(&health), vec![(Reason::Implausible, "height_cm".into())]);
}

/// The vector of domain.md E.1 that is one digit short, and two that are no numbers.
#[test]
fn a_personal_id_of_the_wrong_shape_is_refused_with_what_is_wrong() {
    let with = |id: &str| found(&Pupil { personal_id: Some(id.into()), ..pupil() });
    assert_eq!(with("03731500012"), vec![(Reason::PersonalIdLength, "personal_id".into())]);
    assert_eq!(with("O37315000123"), vec![(Reason::PersonalIdNotDigits, "personal_id".into())]);
    assert_eq!(with("037415000123"), vec![(Reason::PersonalIdFuture, "personal_id".into())]);
}
