//! Personal identification numbers (domain.md E.1; NĐ 137/2015 Art 13, TT 59/2021/TT-BCA Art 4).
use crate::check::refuses;
use eduhub_faults::{Problem, Reason, error, warning};
use eduhub_proto::dictionary::{Record, Value};
use time::Date;

/// Prefixes of birth registration: the province codes before July 2025. Persons keep them for life.
const PREFIXES: [u16; 63] = [
    1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33, 34, 35, 36, 37, 38, 40,
    42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67, 68, 70, 72, 74, 75, 77, 79, 80, 82, 83,
    84, 86, 87, 89, 91, 92, 93, 94, 95, 96,
];

/// A personal ID of the right shape, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonalId {
    /// Digits 1 to 3: province (or country) of birth registration.
    pub prefix: u16,
    /// Birth year with its century.
    pub birth_year: u16,
    /// Sex code as in D.1: 1 male, 2 female.
    pub sex: u8,
}

impl PersonalId {
    /// Takes 12 digits apart; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let prefix = text[..3].parse().ok()?;
        let century: u16 = text[3..4].parse().ok()?;
        let year: u16 = text[4..6].parse().ok()?;
        let sex = if century.is_multiple_of(2) { 1 } else { 2 };
        Some(Self { prefix, birth_year: (19 + century / 2) * 100 + year, sex })
    }
}

/// True when the prefix is one of the 63 provinces of birth registration.
pub fn province_of_registration(prefix: u16) -> bool {
    PREFIXES.binary_search(&prefix).is_ok()
}

/// What a record says of the person whose ID it has.
#[derive(Debug, Clone, Copy)]
pub struct Person<'r> {
    personal_id: &'r str,
    field: &'static str,
    birth_date: Option<&'r str>,
    sex: Option<&'r str>,
}

impl<'r> Person<'r> {
    /// `None` for a record without a personal ID.
    pub fn of<R: Record>(record: &'r R) -> Option<Self> {
        let known = &R::META.known;
        let text = |number| match record.value(number) {
            Value::Text(text) => Some(text),
            _ => None,
        };
        let personal_id = text(known.personal_id)?;
        let field = R::META.field(known.personal_id)?.name;
        Some(Self { personal_id, field, birth_date: text(known.birth_date), sex: text(known.sex) })
    }
}

/// Adds what a well-formed ID contradicts in its record: warnings, because the record's other data may be what is wrong,
/// and only the population database can say (R-ID-2). But a number that gives a birth after this year is nobody's (E.1).
pub fn check(who: &Person<'_>, today: Date, out: &mut Vec<Problem>) {
    if refuses(out) {
        return;
    }
    let Some(id) = PersonalId::parse(who.personal_id) else { return };
    if !province_of_registration(id.prefix) {
        out.push(warning(Reason::PersonalIdPrefix, who.field));
    }
    if i32::from(id.birth_year) > today.year() {
        out.push(error(Reason::PersonalIdFuture, who.field));
        return;
    }
    let year = who.birth_date.and_then(|d| d.get(..4)).and_then(|y| y.parse::<u16>().ok());
    if year.is_some_and(|year| year != id.birth_year) {
        out.push(warning(Reason::PersonalIdYear, who.field));
    }
    let said = match who.sex {
        Some("1") => Some(1),
        Some("2") => Some(2),
        _ => None,
    };
    if said.is_some_and(|sex| sex != id.sex) {
        out.push(warning(Reason::PersonalIdSex, who.field));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::common::v1::Severity;
    use proptest::prelude::*;
    use time::macros::date;

    fn found(id: &str, birth: &str, sex: &str) -> Vec<(Reason, Severity)> {
        let who = Person { personal_id: id, field: "personal_id", birth_date: Some(birth), sex: Some(sex) };
        let mut out = vec![];
        check(&who, date!(2026 - 11 - 01), &mut out);
        out.into_iter().map(|p| (p.reason(), p.severity())).collect()
    }

    // Vectors of domain.md E.1.
    #[test]
    fn the_three_good_numbers() {
        let id = |t| PersonalId::parse(t).unwrap();
        assert_eq!(id("037315000123"), PersonalId { prefix: 37, birth_year: 2015, sex: 2 });
        assert_eq!(id("036212004567"), PersonalId { prefix: 36, birth_year: 2012, sex: 1 });
        assert_eq!(id("035099001234"), PersonalId { prefix: 35, birth_year: 1999, sex: 1 });
        assert_eq!(found("037315000123", "2015-01-01", "2"), vec![]);
        assert_eq!(found("036212004567", "2012-06-30", "1"), vec![]);
        assert_eq!(found("035099001234", "1999-12-31", "1"), vec![]);
    }

    #[test]
    fn the_three_bad_numbers() {
        let future = (Reason::PersonalIdFuture, Severity::Error);
        assert_eq!(found("037415000123", "2015-01-01", "1"), vec![future]);
        assert_eq!(PersonalId::parse("03731500012"), None);
        let prefix = (Reason::PersonalIdPrefix, Severity::Warning);
        assert_eq!(found("003315000123", "2015-01-01", "2"), vec![prefix]);
    }

    #[test]
    fn sex_and_year_are_compared_with_the_record() {
        let year = (Reason::PersonalIdYear, Severity::Warning);
        let sex = (Reason::PersonalIdSex, Severity::Warning);
        assert_eq!(found("037315000123", "2014-01-01", "1"), vec![year, sex]);
        assert_eq!(found("037315000123", "2015-01-01", "0"), vec![]);
    }

    #[test]
    fn the_table_has_the_provinces_before_the_merger() {
        assert!(PREFIXES.is_sorted());
        assert!([1, 37, 96].into_iter().all(province_of_registration));
        assert!([0, 3, 97, 999].into_iter().all(|p| !province_of_registration(p)));
    }

    proptest! {
        #[test]
        fn parse_never_panics(s in ".{0,14}") {
            let _ = PersonalId::parse(&s);
        }

        #[test]
        fn year_and_sex_come_back(prefix in 0u16..1000, year in 1900u16..2400, female: bool, rest in 0u32..1_000_000) {
            let digit = (year / 100 - 19) * 2 + u16::from(female);
            let id = PersonalId::parse(&format!("{prefix:03}{digit}{:02}{rest:06}", year % 100)).unwrap();
            prop_assert_eq!(id, PersonalId { prefix, birth_year: year, sex: if female { 2 } else { 1 } });
        }
    }
}
