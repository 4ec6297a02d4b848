//! Dates and years beside each other.
use time::Date;

/// Year of a date written YYYY-MM-DD.
pub fn year(date: &str) -> Option<i32> {
    date.get(..4)?.parse().ok()
}

/// True when the later of two dates written YYYY-MM-DD comes before the earlier: as texts they compare as dates.
pub fn reversed(earlier: Option<&str>, later: Option<&str>) -> bool {
    matches!((earlier, later), (Some(earlier), Some(later)) if later < earlier)
}

/// The day on which somebody is so many years old, written YYYY-MM-DD. Who is born on 29 February is so on 1 March.
pub fn birthday(birth_date: &str, years: i32) -> Option<String> {
    let rest = birth_date.get(4..)?;
    let then = year(birth_date)? + years;
    let rest = if rest == "-02-29" && !time::util::is_leap_year(then) { "-03-01" } else { rest };
    Some(format!("{then:04}{rest}"))
}

/// First and last day in which events of a school year lie: 1 August to 31 July. Summer moves and retakes belong to the year
/// that ends, and admissions begin in June, so a summer event may lie from June before to August after.
pub fn span(school_year: i32, summer: bool) -> (String, String) {
    if summer {
        (format!("{school_year:04}-06-01"), format!("{:04}-08-31", school_year + 1))
    } else {
        (format!("{school_year:04}-08-01"), format!("{:04}-07-31", school_year + 1))
    }
}

/// True when a date written YYYY-MM-DD lies outside of a span.
pub fn outside(date: &str, (first, last): (String, String)) -> bool {
    date < first.as_str() || date > last.as_str()
}

/// School year that a day lies in: it begins in August (B.8).
#[cfg(test)]
pub fn school_year_of(day: Date) -> i32 {
    if u8::from(day.month()) >= 8 { day.year() } else { day.year() - 1 }
}

/// A date as YYYY-MM-DD.
pub fn iso(date: Date) -> String {
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::macros::date;

    #[test]
    fn birthdays() {
        assert_eq!(birthday("2000-02-29", 18).as_deref(), Some("2018-03-01"));
        assert_eq!(birthday("2000-02-29", 20).as_deref(), Some("2020-02-29"));
        assert_eq!(birthday("2008-11-22", 18).as_deref(), Some("2026-11-22"));
        assert_eq!(birthday("rubbish", 18), None);
    }

    #[test]
    fn months_of_a_school_year() {
        assert_eq!(school_year_of(date!(2026 - 08 - 01)), 2026);
        assert_eq!(school_year_of(date!(2026 - 07 - 31)), 2025);
        assert!(!outside("2026-08-01", span(2026, false)) && outside("2026-07-31", span(2026, false)));
        assert!(!outside("2026-06-01", span(2026, true)) && outside("2027-09-01", span(2026, true)));
    }

    proptest! {
        /// A day lies in the span of its own school year, and in no other's.
        #[test]
        fn each_day_has_one_school_year(days in 0i32..20_000) {
            let day = Date::from_julian_day(2_440_588 + days).unwrap();
            let own = school_year_of(day);
            prop_assert!(!outside(&iso(day), span(own, false)));
            prop_assert!(outside(&iso(day), span(own - 1, false)) && outside(&iso(day), span(own + 1, false)));
        }
    }
}
