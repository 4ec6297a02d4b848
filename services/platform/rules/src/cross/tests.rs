//! Each rule between fields, one record that keeps it and one that breaks it; expectations from domain.md.
use crate::{Checker, CodeTable, OPEN, RulePack};
use eduhub_faults::Reason;
use eduhub_proto::RECORDS;
use eduhub_proto::dictionary::Record;
use eduhub_proto::registry::v1::{
    Award, Class, Enrolment, Graduation, Health, Pupil, Retake, Staff, Training,
};
use time::macros::date;

/// Any code of any list.
fn lists() -> CodeTable {
    let mut table = CodeTable::default();
    let fields =
        RECORDS.iter().flat_map(|r| r.fields).chain(eduhub_proto::NESTED_FIELDS.iter().copied().flatten());
    fields.filter(|f| !f.code_list.is_empty()).for_each(|f| table.insert(f.code_list, OPEN, None, None));
    table
}

/// Reason, field and suggestions of what the rules between fields find in school year 2026.
pub(super) fn found(record: &impl Record) -> Vec<(Reason, String, String)> {
    found_under(record, &RulePack::USUAL)
}

fn found_under(record: &impl Record, pack: &RulePack) -> Vec<(Reason, String, String)> {
    let (lists, off) = (lists(), RulePack::of([]).unwrap());
    let checker = Checker::new(&lists, date!(2026 - 11 - 22)).of_year(2026);
    let plain = checker.clone().under(&off).check(record);
    assert!(!crate::refuses(&plain), "a sound record: {plain:?}");
    let all = checker.under(pack).check(record);
    let fresh = all.into_iter().filter(|p| !plain.contains(p));
    fresh.map(|p| (p.reason(), p.field.clone(), p.suggestions.join(" "))).collect()
}

pub(super) fn one(reason: Reason, field: &str, suggestions: &str) -> Vec<(Reason, String, String)> {
    vec![(reason, field.to_owned(), suggestions.to_owned())]
}

use Reason::{
    Contradiction, DateOrder, Implausible, Missing, NotAsComputed, NotFinalGrade, OutsideSchoolYear,
};

pub(super) fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn enrolment() -> Enrolment {
    Enrolment {
        enrolment_id: "QT1".into(),
        student_code: "HS000001".into(),
        class_code: "6A1".into(),
        grade: "6".into(),
        enrolment_type: "1".into(),
        student_status: "01".into(),
        status_on: "2026-09-05".into(),
        ..Enrolment::default()
    }
}

fn moved(status: &str) -> Enrolment {
    Enrolment { student_status: status.into(), ..enrolment() }
}

#[test]
fn a_dropout_has_a_reason_and_nobody_else() {
    assert_eq!(found(&enrolment()), []);
    for status in ["05", "09", "12"] {
        assert_eq!(found(&Enrolment { dropout_reason: text("01"), ..moved(status) }), [], "{status}");
        assert_eq!(found(&moved(status)), one(Missing, "dropout_reason", ""), "{status}");
    }
    let stays = Enrolment { dropout_reason: text("01"), ..enrolment() };
    assert_eq!(found(&stays), one(Contradiction, "dropout_reason", ""));
}

#[test]
fn a_move_names_its_schools() {
    let moved_in = Enrolment { enrolment_type: "3".into(), from_school: text("01000010001"), ..moved("02") };
    assert_eq!(found(&moved_in), []);
    assert_eq!(found(&Enrolment { from_school: None, ..moved_in.clone() }), one(Missing, "from_school", ""));
    let recruited = Enrolment { enrolment_type: "1".into(), ..moved_in };
    assert_eq!(found(&recruited), one(Contradiction, "enrolment_type", "3"));
    let moved_out = Enrolment { to_school: text("01000010001"), ..moved("04") };
    assert_eq!(found(&moved_out), []);
    assert_eq!(found(&moved("04")), one(Missing, "to_school", ""));
    let stays = Enrolment { to_school: text("01000010001"), ..enrolment() };
    assert_eq!(found(&stays), one(Contradiction, "to_school", ""));
}

#[test]
fn only_what_is_required_refuses() {
    let (lists, year) = (lists(), date!(2026 - 11 - 22));
    let checker = Checker::new(&lists, year).of_year(2026);
    assert!(crate::refuses(&checker.check(&moved("05"))) && crate::refuses(&checker.check(&moved("02"))));
    assert!(!crate::refuses(&checker.check(&moved("04"))), "the school it went to is expected");
}

#[test]
fn an_event_lies_in_its_term_and_year() {
    let out = |term: &str, on: &str| Enrolment {
        to_school: text("01000010001"),
        term_of_event: text(term),
        status_on: on.into(),
        ..moved("04")
    };
    assert_eq!(found(&out("1", "2026-10-05")), []);
    assert_eq!(found(&out("2", "2026-10-05")), one(Contradiction, "term_of_event", "1"));
    assert_eq!(found(&out("1", "2026-07-31")), one(OutsideSchoolYear, "status_on", ""));
    let summer = Enrolment { to_school: text("01000010001"), status_on: "2026-07-31".into(), ..moved("11") };
    assert_eq!(found(&summer), [], "a summer event may lie before August");
}

fn pupil() -> Pupil {
    Pupil {
        student_code: "HS000001".into(),
        full_name: "Nguyễn Thị Hương".into(),
        birth_date: "2015-03-04".into(),
        sex: "2".into(),
        ..Pupil::default()
    }
}

#[test]
fn pupils() {
    assert_eq!(found(&pupil()), []);
    let both = Pupil { tuition_exempt: Some(true), tuition_reduced: Some(true), ..pupil() };
    assert_eq!(found(&both), one(Contradiction, "tuition_reduced", ""));
    assert_eq!(found(&Pupil { tuition_exempt: Some(true), tuition_reduced: Some(false), ..pupil() }), []);
    // Fourteen years and not one less (C.4).
    let of = |year| Pupil { mother_birth_year: Some(year), ..pupil() };
    assert_eq!(found(&of(2001)), []);
    assert_eq!(found(&of(2002)), one(DateOrder, "mother_birth_year", ""));
    assert_eq!(
        found(&Pupil { father_birth_year: Some(2015), ..pupil() }),
        one(DateOrder, "father_birth_year", "")
    );
    let not_assessed = Pupil { disabled_not_assessed: Some(true), ..pupil() };
    assert_eq!(found(&not_assessed), one(Contradiction, "disabled_not_assessed", ""));
    assert_eq!(found(&Pupil { disability_type: text("01"), ..not_assessed }), []);
    let early = Award { awarded_on: text("2014-05-20"), ..Award::default() };
    let awarded = Pupil { awards: vec![Award::default(), early], ..pupil() };
    assert_eq!(found(&awarded), one(DateOrder, "awards[1].awarded_on", ""));
}

#[test]
fn staff() {
    let born = |birth: &str| Staff {
        staff_code: "GV000001".into(),
        full_name: "Trần Văn Minh".into(),
        birth_date: birth.into(),
        sex: "1".into(),
        staff_status: "1".into(),
        staff_group: "2".into(),
        staff_type: "28".into(),
        contract_type: "1".into(),
        qualification_level: "03".into(),
        mobile_phone: "0912345678".into(),
        email: "minh@truong.edu.vn".into(),
        ..Staff::default()
    };
    assert_eq!(found(&born("2008-11-22")), [], "eighteen today");
    assert_eq!(found(&born("2008-11-23")), one(Implausible, "birth_date", ""));
    let recruited = |on: &str| Staff { recruited_on: text(on), ..born("1985-07-09") };
    assert_eq!(found(&recruited("2003-07-09")), []);
    assert_eq!(found(&recruited("2003-07-08")), one(DateOrder, "recruited_on", ""));
    let back = Training { from_date: text("2020-06-01"), to_date: text("2020-05-31"), ..Training::default() };
    let trained = Staff { trainings: vec![back], ..born("1985-07-09") };
    assert_eq!(found(&trained), one(DateOrder, "trainings[0].to_date", ""));
    let joined = |year| Staff { joined_school_year: Some(year), ..born("1985-07-09") };
    assert_eq!(found(&joined(2003)), []);
    assert_eq!(found(&joined(2002)), one(DateOrder, "joined_school_year", ""));
}

#[test]
fn classes_and_schools() {
    let class = Class { class_code: "6A1".into(), name: "6A1".into(), grade: "6".into(), ..Class::default() };
    assert_eq!(found(&class), []);
    let combined = Class { is_combined_class: Some(true), ..class.clone() };
    assert_eq!(found(&combined), one(Missing, "combined_class_code", ""));
    let not = Class { is_combined_class: Some(false), combined_class_code: text("6A2"), ..class.clone() };
    assert_eq!(found(&not), one(Contradiction, "combined_class_code", ""));
    let disbanded = Class { disbanded: Some(true), ..class.clone() };
    assert_eq!(found(&disbanded), one(Missing, "disbanded_on", ""));
    let goes_on = Class { disbanded_on: text("2026-10-01"), ..class.clone() };
    assert_eq!(found(&goes_on), one(Contradiction, "disbanded_on", ""));
    let kindergarten =
        |group: &str| Class { grade: "18".into(), preschool_age_group: text(group), ..class.clone() };
    assert_eq!(found(&kindergarten("06")), []);
    assert_eq!(found(&kindergarten("05")), one(Contradiction, "preschool_age_group", "06"));
    let sessions = Class {
        five_sessions_per_week: Some(true),
        six_to_eight_sessions_per_week: Some(false),
        nine_to_ten_sessions_per_week: Some(true),
        ..class
    };
    assert!(found(&sessions).contains(&(
        Contradiction,
        "nine_to_ten_sessions_per_week".into(),
        String::new()
    )));
}

#[test]
fn what_ends_a_year() {
    let graduation = |grade: &str, free: bool| Graduation {
        student_code: "HS000001".into(),
        grade: text(grade),
        class_code: (!free).then(|| "12A1".to_owned()),
        is_free_candidate: Some(free),
        graduated: Some(true),
        ..Graduation::default()
    };
    for last in ["9", "12"] {
        assert_eq!(found(&graduation(last, false)), [], "{last}");
    }
    for other in ["5", "8", "11"] {
        assert_eq!(found(&graduation(other, false)), one(NotFinalGrade, "grade", "9 12"), "{other}");
    }
    let with_class = Graduation { class_code: text("12A1"), ..graduation("12", true) };
    assert_eq!(found(&with_class), one(Contradiction, "class_code", ""));
    let retake = |learning: &str, on: &str| Retake {
        student_code: "HS000001".into(),
        learning_rating: text(learning),
        conduct: text("2"),
        promoted: Some(true),
        retaken_on: text(on),
        ..Retake::default()
    };
    // The school year 2025 ended in summer 2026.
    let (lists, today) = (lists(), date!(2026 - 11 - 22));
    let checker = Checker::new(&lists, today).of_year(2025);
    let broken = |r: &Retake| {
        let all = checker.check(r).into_iter().map(|p| (p.reason(), p.field.clone()));
        all.filter(|(reason, _)| *reason != Missing).collect::<Vec<_>>()
    };
    assert_eq!(broken(&retake("3", "2026-08-10")), []);
    assert_eq!(broken(&retake("4", "2026-08-10")), [(NotAsComputed, "promoted".to_owned())]);
    assert_eq!(broken(&retake("3", "2026-09-05")), [(OutsideSchoolYear, "retaken_on".to_owned())]);
}

#[test]
fn what_is_dated_in_the_year() {
    let health = |on: &str| Health {
        term: "1".into(),
        student_code: "HS000001".into(),
        measured_on: on.into(),
        height_cm: 145.5,
        weight_kg: 38.0,
        ..Health::default()
    };
    assert_eq!(found(&health("2026-08-01")), []);
    assert_eq!(found(&health("2026-07-31")), one(OutsideSchoolYear, "measured_on", ""));
    let both = Health { obese: Some(true), wasted: Some(true), ..health("2026-09-20") };
    assert_eq!(found(&both), one(Contradiction, "wasted", ""));
}

#[test]
fn a_pack_decides_what_a_broken_rule_does() {
    let both = Pupil { tuition_exempt: Some(true), tuition_reduced: Some(true), ..pupil() };
    let strict = RulePack::of([("pupil.tuition", "error")]).unwrap();
    assert_eq!(found_under(&both, &strict), one(Contradiction, "tuition_reduced", ""));
    let lists = lists();
    let checker = Checker::new(&lists, date!(2026 - 11 - 22)).of_year(2026);
    assert!(crate::refuses(&checker.clone().under(&strict).check(&both)));
    let off = RulePack::of([("pupil.disability", "warning")]).unwrap();
    assert_eq!(found_under(&both, &off), []);
}

#[test]
fn a_grade_has_the_subjects_of_its_curriculum() {
    use Reason::NotInCurriculum;
    use eduhub_proto::registry::v1::{SubjectAssignment, SubjectScore, TermResult};
    let subject = |subject: &str| SubjectScore { subject: subject.into(), ..SubjectScore::default() };
    let result = |grade: &str, code: &str| TermResult {
        term: "1".into(),
        student_code: "HS000001".into(),
        class_code: "1A".into(),
        grade: text(grade),
        subject_scores: vec![subject("TOC"), subject(code)],
        ..TermResult::default()
    };
    for (code, first, last) in
        [("TNXH", 1, 3), ("KHOA", 4, 5), ("KHTN", 6, 9), ("VLY", 10, 12), ("KTPL", 10, 12), ("THC", 3, 12)]
    {
        for grade in 1..=12 {
            let fits = (first..=last).contains(&grade);
            let expected = if fits { vec![] } else { one(NotInCurriculum, "subject_scores[1].subject", "") };
            assert_eq!(found(&result(&grade.to_string(), code)), expected, "{code} in {grade}");
        }
    }
    let unknown = TermResult { grade: None, ..result("1", "VLY") };
    assert_eq!(found(&unknown), [], "of a grade that is not said");
    assert_eq!(found(&result("1", "XYZ")), [], "the code list judges what is no subject");
    let retake = Retake {
        student_code: "HS000001".into(),
        grade: text("8"),
        subject_scores: vec![subject("KTPL")],
        ..Retake::default()
    };
    assert_eq!(found(&retake), one(NotInCurriculum, "subject_scores[0].subject", ""));
    let assigned = SubjectAssignment { subject: text("VLY"), ..SubjectAssignment::default() };
    let class = Class {
        class_code: "8A".into(),
        name: "8A".into(),
        grade: "8".into(),
        subject_assignments: vec![assigned],
        ..Class::default()
    };
    assert_eq!(found(&class), one(NotInCurriculum, "subject_assignments[0].subject", ""));
}

/// Until 2023 some grades had the programme before, which taught physics from grade 6 on.
#[test]
fn years_of_the_programme_before_are_not_judged() {
    use eduhub_proto::registry::v1::{SubjectScore, TermResult};
    let lists = lists();
    let result = TermResult {
        term: "1".into(),
        student_code: "HS000001".into(),
        class_code: "8A".into(),
        grade: text("8"),
        subject_scores: vec![SubjectScore { subject: "VLY".into(), ..SubjectScore::default() }],
        ..TermResult::default()
    };
    let judged = |year| {
        let checker = Checker::new(&lists, date!(2026 - 11 - 22)).of_year(year);
        checker.check(&result).iter().any(|p| p.reason() == Reason::NotInCurriculum)
    };
    assert_eq!([2022, 2023, 2024, 2026].map(judged), [false, false, true, true]);
}
