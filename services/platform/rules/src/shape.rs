//! Meaning of texts and numbers beyond length and pattern.
use crate::names;
use eduhub_faults::Reason;
use eduhub_proto::{RECORDS, common::v1::Shape, dictionary::Rule};
use regex::Regex;
use std::{collections::HashMap, sync::LazyLock};
use time::{Date, format_description::well_known::Iso8601};

/// The dictionary's patterns, compiled once.
pub fn patterns() -> &'static HashMap<&'static str, Regex> {
    static PATTERNS: LazyLock<HashMap<&'static str, Regex>> = LazyLock::new(|| {
        let mut all = HashMap::new();
        let nested = eduhub_proto::NESTED_FIELDS.iter().flat_map(|fields| fields.iter());
        for field in RECORDS.iter().flat_map(|r| r.fields).chain(nested) {
            for rule in field.rules {
                if let Rule::Pattern(p) = rule
                    && let Ok(re) = Regex::new(p)
                {
                    all.insert(*p, re);
                }
            }
        }
        all
    });
    &PATTERNS
}

/// What is wrong with a text of this shape, so that it is refused.
pub fn broken(shape: i32, text: &str, today: Date) -> Option<Reason> {
    match Shape::try_from(shape).unwrap_or_default() {
        Shape::Date => broken_date(text, today),
        Shape::PersonName => names::broken_name(text),
        Shape::Text => names::broken_text(text),
        Shape::PersonalId => {
            if text.chars().any(|c| !c.is_ascii_digit()) {
                Some(Reason::PersonalIdNotDigits)
            } else {
                (text.len() != 12).then_some(Reason::PersonalIdLength)
            }
        }
        Shape::Score | Shape::Unspecified => None,
    }
}

/// What is doubtful in a text of this shape, so that it is accepted with a warning.
pub fn doubtful(shape: i32, text: &str) -> Option<Reason> {
    (shape == Shape::PersonName as i32 && names::all_caps(text)).then_some(Reason::NameAllCaps)
}

/// True when a score has more than one decimal (TT 22/2021 Art 5.3).
pub fn not_a_score(shape: i32, x: f64) -> bool {
    shape == Shape::Score as i32 && ((x * 10.0).round() / 10.0 - x).abs() > 1e-9
}

fn broken_date(text: &str, today: Date) -> Option<Reason> {
    let parsed = (text.len() == 10).then(|| Date::parse(text, &Iso8601::DATE).ok()).flatten();
    match parsed {
        Some(d) if d.year() >= 1900 && d <= today => None,
        _ => Some(Reason::BadDate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn dates() {
        let today = date!(2026 - 11 - 01);
        assert_eq!(broken_date("2015-02-28", today), None);
        assert_eq!(broken_date("2015-02-29", today), Some(Reason::BadDate));
        assert_eq!(broken_date("40179", today), Some(Reason::BadDate));
        assert_eq!(broken_date("2026-11-02", today), Some(Reason::BadDate));
        assert_eq!(broken_date("1899-12-31", today), Some(Reason::BadDate));
    }

    #[test]
    fn every_pattern_of_the_dictionary_compiles() {
        let wanted: std::collections::HashSet<_> = RECORDS
            .iter()
            .flat_map(|r| r.fields)
            .flat_map(|f| f.rules)
            .filter_map(|r| if let Rule::Pattern(p) = r { Some(*p) } else { None })
            .collect();
        assert!(!wanted.is_empty());
        assert!(wanted.iter().all(|p| patterns().contains_key(p)));
    }

    #[test]
    fn scores_have_one_decimal() {
        assert!(!not_a_score(Shape::Score as i32, 7.2));
        assert!(not_a_score(Shape::Score as i32, 7.25));
    }
}
