//! Personal identification numbers (domain.md E.1; NĐ 137/2015 Art 13, TT 59/2021/TT-BCA Art 4).
use crate::{check::refuses, walk::Identity};
use eduhub_faults::{Problem, Reason, warning};
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

/// Adds what a well-formed ID contradicts in its record: all warnings, because the record's other data may be what is
/// wrong, and only the population database can say (R-ID-2).
pub fn check(who: &Identity, today: Date, out: &mut Vec<Problem>) {
    let Some((text, field, _)) = &who.personal_id else { return };
    if refuses(out) {
        return;
    }
    let Some(id) = PersonalId::parse(text) else { return };
    if !province_of_registration(id.prefix) {
        out.push(warning(Reason::PersonalIdPrefix, field));
    }
    if i32::from(id.birth_year) > today.year() {
        out.push(warning(Reason::PersonalIdFuture, field));
        return;
    }
    if who.birth_date.as_ref().is_some_and(|d| !d.starts_with(&format!("{:04}", id.birth_year))) {
        out.push(warning(Reason::PersonalIdYear, field));
    }
    if who.sex.as_ref().is_some_and(|s| (s == "1" || s == "2") && *s != id.sex.to_string()) {
        out.push(warning(Reason::PersonalIdSex, field));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::date;

    fn reasons(id: &str, birth: &str, sex: &str) -> Vec<i32> {
        let who = Identity {
            personal_id: Some((id.into(), "personal_id", 5)),
            birth_date: Some(birth.into()),
            sex: Some(sex.into()),
            full_name: None,
        };
        let mut out = vec![];
        check(&who, date!(2026 - 11 - 01), &mut out);
        out.into_iter().map(|p| p.reason).collect()
    }

    // Vectors of domain.md E.1.
    #[test]
    fn vectors() {
        let id = |t| PersonalId::parse(t).unwrap();
        assert_eq!(id("037315000123"), PersonalId { prefix: 37, birth_year: 2015, sex: 2 });
        assert_eq!(id("036212004567"), PersonalId { prefix: 36, birth_year: 2012, sex: 1 });
        assert_eq!(id("035099001234"), PersonalId { prefix: 35, birth_year: 1999, sex: 1 });
        assert_eq!(PersonalId::parse("03731500012"), None);
        assert_eq!(reasons("037415000123", "2015-01-01", "1"), vec![Reason::PersonalIdFuture as i32]);
        assert_eq!(reasons("003315000123", "2015-01-01", "2"), vec![Reason::PersonalIdPrefix as i32]);
        assert_eq!(reasons("037315000123", "2015-01-01", "2"), Vec::<i32>::new());
        assert_eq!(reasons("037315000123", "2014-01-01", "1").len(), 2);
        assert_eq!(reasons("037315000123", "2015-01-01", "0"), Vec::<i32>::new());
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
