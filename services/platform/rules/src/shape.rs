//! Meaning of texts and numbers beyond length and pattern.
use crate::names;
use eduhub_faults::Reason;
use eduhub_proto::common::v1::Shape;
use time::{Date, Month};

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
    match calendar_date(text) {
        Some(d) if d.year() >= 1900 && d <= today => None,
        _ => Some(Reason::BadDate),
    }
}

/// A date written YYYY-MM-DD; the general parser of ISO dates takes ten times as long, and a push has millions of them.
fn calendar_date(text: &str) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else { return None };
    let digit = |b: u8| b.is_ascii_digit().then(|| b - b'0');
    let year = [y1, y2, y3, y4].into_iter().try_fold(0_i32, |n, b| Some(n * 10 + i32::from(digit(b)?)))?;
    let month = Month::try_from(digit(m1)? * 10 + digit(m2)?).ok()?;
    Date::from_calendar_date(year, month, digit(d1)? * 10 + digit(d2)?).ok()
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
    fn dates_are_read_as_the_general_parser_reads_them() {
        use time::format_description::well_known::Iso8601;
        for text in ["2024-02-29", "2023-02-29", "1999-12-31", "2000-00-10", "2000-13-01", "0001-01-01"] {
            assert_eq!(calendar_date(text), Date::parse(text, &Iso8601::DATE).ok(), "{text}");
        }
        for odd in ["", "2024-2-29", "2024/02/28", "20240228", "2024-02-2x", "2024-02-28 ", "２０２４-02-28"]
        {
            assert_eq!(calendar_date(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn scores_have_one_decimal() {
        assert!(!not_a_score(Shape::Score as i32, 7.2));
        assert!(not_a_score(Shape::Score as i32, 7.25));
    }
}
