use super::*;
use eduhub_proto::{
    common::v1::CodeMappingUse,
    registry::v1::{CodeMappingEntry, Pupil, SubjectScore, TermResult},
};

fn table(list: &str, version: i64, entries: &[(&str, &str)]) -> CodeMapping {
    let entry =
        |(value, code): &(&str, &str)| CodeMappingEntry { value: (*value).into(), code: (*code).into() };
    CodeMapping {
        vendor_code: "SMAS".into(),
        list: list.into(),
        entries: entries.iter().map(entry).collect(),
        version,
        vendor_version: 9,
        ..CodeMapping::default()
    }
}

fn open(vendor: &str, version: i64) -> PushOpen {
    let code_mapping = Some(CodeMappingUse { vendor_code: vendor.into(), version });
    PushOpen { code_mapping, ..PushOpen::default() }
}

/// Thái Nguyên's front-end: 1 male, 0 female (domain.md D.1).
fn mappings() -> Mappings {
    Mappings::from_tables([
        table("DM_GIOI_TINH", 7, &[("1", "1"), ("0", "2")]),
        table("DM_MON_HOC", 9, &[("Toán", "TOC")]),
    ])
}

#[test]
fn values_are_replaced_where_their_list_has_a_table_and_nowhere_else() {
    let smas = mappings().of(&open("SMAS", 9)).unwrap().unwrap();
    let mut pupil = Pupil { sex: "0".into(), ethnicity: Some("0".into()), ..Pupil::default() };
    let done = smas.translate(&mut pupil);
    assert_eq!((pupil.sex.as_str(), pupil.ethnicity.as_deref()), ("2", Some("0")));
    assert_eq!((done.values, done.problems.len()), (1, 0));
    // What is the same in both is no translation.
    let mut boy = Pupil { sex: "1".into(), ..Pupil::default() };
    assert_eq!((smas.translate(&mut boy).values, boy.sex.as_str()), (0, "1"));
}

#[test]
fn a_value_out_of_its_table_is_refused_even_when_it_looks_like_a_code() {
    let smas = mappings().of(&open("SMAS", 9)).unwrap().unwrap();
    let mut pupil = Pupil { sex: "2".into(), ..Pupil::default() };
    let done = smas.translate(&mut pupil);
    assert_eq!((done.values, pupil.sex.as_str()), (0, "2"));
    assert_eq!((done.problems[0].reason(), done.problems[0].field.as_str()), (Reason::UnknownCode, "sex"));
}

#[test]
fn entries_of_lists_are_translated_and_named_by_their_place() {
    let smas = mappings().of(&open("SMAS", 9)).unwrap().unwrap();
    let score = |subject: &str| SubjectScore { subject: subject.into(), ..SubjectScore::default() };
    let mut result =
        TermResult { subject_scores: vec![score("Toán"), score("TOAN")], ..TermResult::default() };
    let done = smas.translate(&mut result);
    assert_eq!((result.subject_scores[0].subject.as_str(), done.values), ("TOC", 1));
    let problem = &done.problems[0];
    assert_eq!(problem.field, "subject_scores[1].subject");
    assert_eq!(problem.suggestions, ["Toán"]);
}

#[test]
fn only_the_present_version_of_known_tables_is_used() {
    let reason = |open: &PushOpen| mappings().of(open).unwrap_err().reason();
    assert!(mappings().of(&PushOpen::default()).unwrap().is_none());
    assert_eq!(reason(&open("SMAS", 8)), Reason::CodeMappingChanged);
    assert_eq!(reason(&open("VNEDU", 9)), Reason::InvalidRequest);
}
