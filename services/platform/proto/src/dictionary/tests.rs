use super::*;
use crate::common::v1::{Level, Need};
use crate::registry::v1::{Health, Pupil, SubjectScore, TermResult};
use crate::{MESSAGES, PATTERNS, RECORDS};
use time::macros::date;

const ONE: Levels = Levels::of(Level::Primary);
const TWO: Levels = Levels::of(Level::UpperSecondary);

/// A field that exists at two levels only, with another need and symbol at one of them.
fn some_field() -> FieldMeta {
    FieldMeta {
        name: "some",
        number: 1,
        label: "",
        class: 1,
        need: Need::Expected as i32,
        needs: &[(TWO, Need::Required as i32)],
        levels: ONE.with(TWO),
        shape: 0,
        code_list: "",
        parent: 0,
        ministry: "MOT",
        symbols: &[(TWO, "HAI")],
        source: "",
        until: Some(date!(2025 - 07 - 01)),
        excel: "",
        key: false,
        column: false,
        plausible: None,
        ty: FieldType::Text,
        rules: &[],
        max_chars: None,
        entries: None,
        doc: "",
    }
}

#[test]
fn levels_decide_what_a_field_is() {
    let field = some_field();
    let at = |level| (field.exists_at(level), field.need_at(level), field.symbol_at(level));
    assert_eq!(at(Level::Primary), (true, Need::Expected as i32, "MOT"));
    assert_eq!(at(Level::UpperSecondary), (true, Need::Required as i32, "HAI"));
    assert_eq!(at(Level::Preschool), (false, Need::Optional as i32, ""));
    assert_eq!(at(Level::Unspecified), (true, Need::Expected as i32, "MOT"));
}

#[test]
fn of_several_levels_the_strictest_counts_and_of_none_the_weakest() {
    let field = some_field();
    let preschool = Levels::of(Level::Preschool);
    assert_eq!(field.need_among(ONE.with(TWO)), Need::Required as i32);
    assert_eq!(field.need_among(ONE.with(preschool)), Need::Expected as i32);
    assert_eq!(field.need_among(preschool), Need::Optional as i32);
    assert_eq!(field.need_among(Levels::NONE), Need::Optional as i32);
    let everywhere = FieldMeta { levels: Levels::NONE, needs: &[], ..some_field() };
    assert_eq!(everywhere.need_among(Levels::NONE), Need::Expected as i32);
    assert!(field.exists_among(Levels::NONE) && field.exists_among(ONE.with(preschool)));
    assert!(!field.exists_among(preschool));
}

#[test]
fn a_field_ends_on_its_day() {
    assert!(some_field().exists_on(date!(2025 - 06 - 30)));
    assert!(!some_field().exists_on(date!(2025 - 07 - 01)));
}

#[test]
fn what_a_reader_may_not_see_is_absent() {
    let mut pupil = Pupil {
        full_name: "Nguyễn An".into(),
        personal_id: Some("037315000123".into()),
        ethnicity: Some("01".into()),
        ..Pupil::default()
    };
    mask(&mut pupil, CLASS_SENSITIVE);
    assert_eq!((pupil.personal_id.as_deref(), pupil.ethnicity.as_deref()), (None, Some("01")));
    mask(&mut pupil, 2);
    assert_eq!((pupil.full_name.as_str(), pupil.ethnicity), ("Nguyễn An", None));
}

#[test]
fn the_entries_of_a_list_are_masked_too() {
    let score = SubjectScore { subject: "TOAN".into(), score: Some(7.0), ..SubjectScore::default() };
    let mut result = TermResult { subject_scores: vec![score.clone(), score], ..TermResult::default() };
    // Scores are basic data: a reader of public data alone sees nothing of an entry. Masked one by one, because the list
    // as such would go too.
    result.entries(&mut |entry| mask(entry, 1));
    assert_eq!(result.subject_scores, vec![SubjectScore::default(); 2]);
    result.subject_scores[0].subject = "VAN".into();
    mask(&mut result, 2);
    assert_eq!(result.subject_scores[0].subject, "VAN");
    mask(&mut result, 1);
    assert_eq!(result, TermResult::default());
}

/// A list that a reader may see can hold fields that he may not.
#[test]
fn every_entry_of_every_list_is_reached() {
    struct Entry(Vec<u32>);
    impl Annotated for Entry {
        fn fields(&self) -> &'static [FieldMeta] {
            Health::META.fields
        }
        fn visit(&self, _: &mut dyn Visitor) {}
        fn value(&self, _: u32) -> Value<'_> {
            Value::Absent
        }
        fn entries(&mut self, _: &mut dyn FnMut(&mut dyn Annotated)) {}
        fn clear(&mut self, number: u32) {
            self.0.push(number);
        }
        fn set_secret(&mut self, _: u32, _: String) {}
    }
    struct Outer(Vec<Entry>);
    impl Annotated for Outer {
        fn fields(&self) -> &'static [FieldMeta] {
            &[]
        }
        fn visit(&self, _: &mut dyn Visitor) {}
        fn value(&self, _: u32) -> Value<'_> {
            Value::Absent
        }
        fn entries(&mut self, each: &mut dyn FnMut(&mut dyn Annotated)) {
            self.0.iter_mut().for_each(|e| each(e));
        }
        fn clear(&mut self, _: u32) {}
        fn set_secret(&mut self, _: u32, _: String) {}
    }
    let mut outer = Outer(vec![Entry(vec![]), Entry(vec![])]);
    mask(&mut outer, 2);
    let sensitive: Vec<u32> = Health::META.fields.iter().filter(|f| f.class > 2).map(|f| f.number).collect();
    assert!(!sensitive.is_empty());
    assert!(outer.0.iter().all(|e| e.0 == sensitive));
}

#[test]
fn one_field_is_read_as_the_walk_reads_it() {
    let pupil = Pupil { sex: "2".into(), poor_household: Some(false), ..Pupil::default() };
    let mut walked = Vec::new();
    pupil.visit(&mut |meta: &'static FieldMeta, v: Value<'_>| walked.push((meta.number, v.display())));
    let single: Vec<_> =
        Pupil::META.fields.iter().map(|f| (f.number, pupil.value(f.number).display())).collect();
    assert_eq!(walked, single);
    assert!(matches!(pupil.value(9999), Value::Absent));
    assert!(matches!(pupil.value(Pupil::META.known.sex), Value::Text("2")));
}

#[test]
fn lengths_come_from_rules_and_patterns() {
    let of = |name: &str| Pupil::META.fields.iter().find(|f| f.name == name).unwrap().max_chars;
    assert_eq!(of("full_name"), Some(50));
    assert_eq!(of("student_code"), Some(24));
    assert_eq!(of("personal_id"), Some(12));
    assert_eq!(of("birth_date"), Some(10));
}

#[test]
fn the_manual_comes_along() {
    let silent: Vec<_> = RECORDS.iter().filter(|r| r.doc.is_empty()).map(|r| r.name).collect();
    assert!(silent.is_empty(), "{silent:?}");
    let fields = RECORDS.iter().flat_map(|r| r.fields).chain(MESSAGES.iter().flat_map(|m| m.fields));
    let silent: Vec<_> = fields.filter(|f| f.doc.is_empty()).map(|f| f.name).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn a_pattern_stands_where_its_index_says() {
    for field in RECORDS.iter().flat_map(|r| r.fields).chain(MESSAGES.iter().flat_map(|m| m.fields)) {
        for rule in field.rules {
            if let Rule::Pattern(p) = rule {
                assert_eq!(PATTERNS[p.index], p.text, "{}", field.name);
            }
        }
    }
}
