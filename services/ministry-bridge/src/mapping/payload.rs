use std::collections::BTreeMap;

use eduhub_proto::common::v1::{Kind, Level};
use eduhub_proto::dictionary::{Annotated, FieldMeta, Levels, Value as Field, record_of};
use serde_json::Value;
use uuid::Uuid;

/// Fields of a payload by symbol. Sorted, so that equal payloads have equal bytes.
pub type Fields = BTreeMap<String, Value>;

/// A record as the Ministry is to have it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Record id, `idbanghi` at the Ministry.
    pub record_id: Uuid,
    /// Kind.
    pub kind: Kind,
    /// Key within the school; yearly kinds with their year.
    pub record_key: String,
    /// The record that must be accepted first.
    pub parent: Option<(Kind, String)>,
    /// Lower bound of the version: the sum of the versions of its parts.
    pub version: i64,
    /// What is sent.
    pub fields: Fields,
}

/// The bytes of which the digest is taken and of which the request is made.
pub fn canonical(fields: &Fields) -> Vec<u8> {
    // A map of strings to JSON values always serialises.
    serde_json::to_vec(fields).unwrap_or_default()
}

/// Adds the fields of `record` that have a symbol at its level; a field that does not exist there stays out. What is there
/// already stays: the record that owns the payload comes first.
pub fn compose(fields: &mut Fields, record: &dyn Annotated, level: Level) {
    record.visit(&mut |meta: &'static FieldMeta, value: Field<'_>| {
        let symbol = meta.symbol_at(level);
        if symbol.is_empty() || fields.contains_key(symbol) {
            return;
        }
        if let Some(value) = json(value, level) {
            fields.insert(symbol.to_owned(), value);
        }
    });
}

/// Level whose annex a record follows: a centre's is its own whatever the grade, an inter-level school has the grade's.
pub fn level_of(school: Level, grade: &str) -> Level {
    if school == Level::Continuing {
        return school;
    }
    Levels::of_grade(grade).iter().next().unwrap_or(school)
}

fn json(value: Field<'_>, level: Level) -> Option<Value> {
    Some(match value {
        Field::Absent => return None,
        Field::Text(text) => Value::from(text),
        Field::Number(number) => Value::from(number),
        Field::Int(number) => Value::from(number),
        Field::Flag(flag) => Value::from(flag),
        Field::List(list) => {
            let mut entries = Vec::with_capacity(list.len());
            for entry in (0..list.len()).filter_map(|i| list.get(i)) {
                let mut fields = Fields::new();
                compose(&mut fields, entry, level);
                entries.push(Value::Object(fields.into_iter().collect()));
            }
            if entries.is_empty() {
                return None;
            }
            Value::Array(entries)
        }
    })
}

/// A yearly kind's key without its school year, as the sender knows it: `6A1` of `2026/6A1`.
pub fn key_in_year(kind: Kind, full: &str) -> &str {
    let yearly = record_of(kind).is_some_and(|meta| meta.yearly);
    match full.split_once('/') {
        Some((year, rest)) if yearly && year.len() == 4 => rest,
        _ => full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::registry::v1::{Class, SubjectScore, TermResult};
    use serde_json::json;

    #[test]
    fn symbols_come_from_the_dictionary_and_absent_fields_stay_out() {
        let class = Class {
            class_code: "6A1".into(),
            name: "6A1".into(),
            grade: "6".into(),
            two_sessions_per_day: Some(true),
            disbanded: Some(false),
            ..Class::default()
        };
        let mut fields = Fields::new();
        compose(&mut fields, &class, Level::LowerSecondary);
        let expected = json!({"MA": "6A1", "TEN": "6A1", "MA_KHOI": "6", "IS_DAY_2_BUOI_NGAY": true});
        assert_eq!(serde_json::to_value(&fields).unwrap(), expected);
    }

    #[test]
    fn lists_become_objects_of_symbols() {
        let score = SubjectScore { subject: "TOAN".into(), score: Some(8.5), ..SubjectScore::default() };
        let result = TermResult {
            term: "1".into(),
            student_code: "0142976686".into(),
            class_code: "6A1".into(),
            subject_scores: vec![score],
            ..TermResult::default()
        };
        let mut fields = Fields::new();
        compose(&mut fields, &result, Level::LowerSecondary);
        assert_eq!(fields["DIEM_MONS"], json!([{"MA_MON_HOC": "TOAN", "DIEM": 8.5}]));
    }

    #[test]
    fn symbols_follow_the_level() {
        let class = Class { homeroom_teacher_code: Some("GV000001".into()), ..Class::default() };
        let symbols = |level| {
            let mut fields = Fields::new();
            compose(&mut fields, &class, level);
            fields.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(symbols(Level::Preschool), ["GIAO_VIEN_CN_ID"]);
        assert_eq!(symbols(Level::Primary), ["GIAO_VIEN_ID"]);
        assert_eq!(level_of(Level::LowerSecondary, "5"), Level::Primary);
        assert_eq!(level_of(Level::Continuing, "10"), Level::Continuing);
        assert_eq!(level_of(Level::Primary, ""), Level::Primary);
    }

    #[test]
    fn a_field_of_another_level_is_not_sent() {
        let class = Class { stream: Some("KHTN".into()), ..Class::default() };
        let mut fields = Fields::new();
        compose(&mut fields, &class, Level::LowerSecondary);
        assert!(fields.is_empty());
        compose(&mut fields, &class, Level::UpperSecondary);
        assert_eq!(fields["MA_PHAN_BAN"], "KHTN");
    }

    #[test]
    fn only_yearly_keys_lose_their_year() {
        assert_eq!(key_in_year(Kind::Class, "2026/6A1"), "6A1");
        assert_eq!(key_in_year(Kind::Pupil, "0142976686"), "0142976686");
        assert_eq!(key_in_year(Kind::TermResult, "2026/1/0142976686"), "1/0142976686");
    }
}
