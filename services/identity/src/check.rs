//! Rules of form fields; every violation of a request is collected and told at once.
use eduhub_faults::{Fault, Reason, texts};
use eduhub_proto::common::v1::{DataDomain, Sensitivity};
use eduhub_rules::{broken_name, broken_text};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use time::format_description::well_known::Iso8601;
use time::{Date, OffsetDateTime, UtcOffset};

/// Vietnam has one time zone, without summer time.
const VIETNAM: (i8, i8, i8) = (7, 0, 0);
/// No form of this hub is older.
const EARLIEST_YEAR: i32 = 1990;
/// No contract or agreement runs longer.
const LONGEST_YEARS: i32 = 5;

/// Today in Vietnam: forms and grants count days there.
pub fn today() -> Date {
    let (hours, minutes, seconds) = VIETNAM;
    let offset = UtcOffset::from_hms(hours, minutes, seconds).unwrap_or(UtcOffset::UTC);
    OffsetDateTime::now_utc().to_offset(offset).date()
}

/// The moment at which a day ends in Vietnam.
pub fn end_of(day: Date) -> OffsetDateTime {
    let (hours, minutes, seconds) = VIETNAM;
    let offset = UtcOffset::from_hms(hours, minutes, seconds).unwrap_or(UtcOffset::UTC);
    day.next_day().unwrap_or(Date::MAX).midnight().assume_offset(offset)
}

/// Collects violations.
#[derive(Debug)]
pub struct Check {
    today: Date,
    found: Vec<(String, Reason, String)>,
}

impl Check {
    /// Judges dates as of `today`.
    pub fn new(today: Date) -> Self {
        Self { today, found: Vec::new() }
    }

    /// Adds a violation.
    pub fn refuse(&mut self, field: impl Into<String>, reason: Reason) {
        self.found.push((field.into(), reason, String::new()));
    }

    /// Adds a violation with near values that would be accepted.
    pub fn refuse_with(&mut self, field: impl Into<String>, reason: Reason, near: &[&str]) {
        let near = if near.is_empty() { String::new() } else { format!(" [{}]", near.join(", ")) };
        self.found.push((field.into(), reason, near));
    }

    /// Adds a violation unless `good`.
    pub fn require(&mut self, good: bool, field: &str, reason: Reason) {
        if !good {
            self.refuse(field, reason);
        }
    }

    /// Text of a length in characters; absent only where the range holds 0.
    pub fn text(&mut self, field: impl Into<String>, value: &str, chars: RangeInclusive<usize>) {
        let reason = match value.chars().count() {
            0 if *chars.start() == 0 => return,
            0 => Some(Reason::Missing),
            n if n > *chars.end() => Some(Reason::TooLong),
            n if n < *chars.start() => Some(Reason::TooShort),
            _ => broken_text(value).or_else(|| value.contains("  ").then_some(Reason::BadSpacing)),
        };
        if let Some(reason) = reason {
            self.refuse(field, reason);
        }
    }

    /// Full name of a person, 2 to 50 characters; required.
    pub fn person(&mut self, field: &str, value: &str) {
        let before = self.found.len();
        self.text(field, value, 2..=50);
        if let (true, Some(reason)) = (self.found.len() == before, broken_name(value)) {
            self.refuse(field, reason);
        }
    }

    /// Who signed and when; both required, since a form without them binds nobody.
    pub fn signature(&mut self, by: (&str, &str), on: (&str, &str)) {
        for (field, value) in [by, on] {
            self.require(!value.is_empty(), field, Reason::FormUnsigned);
        }
        if !by.1.is_empty() {
            self.person(by.0, by.1);
        }
        if !on.1.is_empty() {
            self.past_date(on.0, on.1);
        }
    }

    /// Vietnamese telephone number: 0 and nine digits; required.
    pub fn phone(&mut self, field: &str, value: &str) {
        let good = value.len() == 10 && value.starts_with('0') && value.bytes().all(|b| b.is_ascii_digit());
        self.shape(field, value, good);
    }

    /// E-mail address; required. Whether it reaches anybody only a message could tell.
    pub fn email(&mut self, field: &str, value: &str) {
        let plain =
            value.len() <= 100 && value.bytes().all(|b| b.is_ascii_graphic() && b != b',' && b != b';');
        let parts = value.split_once('@');
        let good = parts.is_some_and(|(local, host)| {
            let labels = host.split('.').all(|label| !label.is_empty());
            !local.is_empty() && !host.contains('@') && host.contains('.') && labels
        });
        self.shape(field, value, plain && good);
    }

    /// A text that is only good or bad; required.
    pub fn shape(&mut self, field: &str, value: &str, good: bool) {
        match (value.is_empty(), good) {
            (true, _) => self.refuse(field, Reason::Missing),
            (false, false) => self.refuse(field, Reason::BadFormat),
            (false, true) => {}
        }
    }

    /// A fixed text of a form: filled in when absent, refused when it is another.
    pub fn fixed(&mut self, field: &str, value: &mut String, text: &str) {
        if value.is_empty() {
            text.clone_into(value);
        } else if value != text {
            self.refuse(field, Reason::BadFormat);
        }
    }

    /// A list of texts.
    pub fn texts(
        &mut self,
        field: &str,
        values: &[String],
        count: RangeInclusive<usize>,
        chars: RangeInclusive<usize>,
    ) {
        if values.len() < *count.start() {
            self.refuse(field, Reason::Missing);
        }
        if values.len() > *count.end() {
            self.refuse(field, Reason::OutOfRange);
            return;
        }
        for (i, value) in values.iter().enumerate() {
            self.text(format!("{field}[{i}]"), value, chars.clone());
        }
    }

    /// A day; required.
    pub fn date(&mut self, field: &str, value: &str) -> Option<Date> {
        self.date_from(field, value, EARLIEST_YEAR)
    }

    fn date_from(&mut self, field: &str, value: &str, first_year: i32) -> Option<Date> {
        if value.is_empty() {
            self.refuse(field, Reason::Missing);
            return None;
        }
        let parsed = (value.len() == 10).then(|| Date::parse(value, &Iso8601::DATE).ok()).flatten();
        let parsed = parsed.filter(|date| date.year() >= first_year);
        if parsed.is_none() {
            self.refuse(field, Reason::BadDate);
        }
        parsed
    }

    /// A day of something done, so not in the future; required.
    pub fn past_date(&mut self, field: &str, value: &str) -> Option<Date> {
        self.past_date_from(field, value, EARLIEST_YEAR)
    }

    /// A day that is not in the future, in this year or later: births are older than forms; required.
    pub fn past_date_from(&mut self, field: &str, value: &str, first_year: i32) -> Option<Date> {
        let date = self.date_from(field, value, first_year)?;
        if date > self.today {
            self.refuse(field, Reason::BadDate);
            return None;
        }
        Some(date)
    }

    /// A period that has not ended and is not too long.
    pub fn period(&mut self, from: (&str, &str), to: (&str, &str)) -> Option<(Date, Date)> {
        let (start, end) = (self.date(from.0, from.1), self.date(to.0, to.1));
        let (start, end) = (start?, end?);
        let longest = start.replace_year(start.year() + LONGEST_YEARS).unwrap_or(Date::MAX);
        if end <= start || end > longest || end < self.today {
            self.refuse(to.0, Reason::OutOfRange);
            return None;
        }
        Some((start, end))
    }

    /// Data domains: at least one (unless `may_be_empty`), each known, none twice.
    pub fn domains(&mut self, field: &str, numbers: &[i32], may_be_empty: bool) -> Vec<DataDomain> {
        if numbers.is_empty() && !may_be_empty {
            self.refuse(field, Reason::Missing);
        }
        let mut seen = BTreeSet::new();
        let mut out = Vec::new();
        for (i, number) in numbers.iter().enumerate() {
            match DataDomain::try_from(*number) {
                Ok(domain) if domain != DataDomain::Unspecified && seen.insert(*number) => out.push(domain),
                _ => self.refuse(format!("{field}[{i}]"), Reason::UnknownCode),
            }
        }
        out
    }

    /// A class of fields; required unless a default is given.
    pub fn class(&mut self, field: &str, number: i32, default: Option<Sensitivity>) -> Sensitivity {
        match (Sensitivity::try_from(number), default) {
            (Ok(Sensitivity::Unspecified), Some(default)) => default,
            (Ok(Sensitivity::Unspecified), None) => {
                self.refuse(field, Reason::Missing);
                Sensitivity::Public
            }
            (Ok(class), _) => class,
            (Err(_), _) => {
                self.refuse(field, Reason::UnknownCode);
                Sensitivity::Public
            }
        }
    }

    /// `Ok` when nothing was found.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/INVALID_REQUEST with every violation: `REASON: Vietnamese (English)`.
    pub fn finish(self) -> Result<(), Fault> {
        let mut fault = Fault::new(Reason::InvalidRequest);
        for (field, reason, near) in self.found {
            let name = reason.as_str_name().trim_start_matches("REASON_");
            let text = texts(reason);
            fault = fault.violation(&field, &format!("{name}: {} ({}){near}", text.vi, text.en));
        }
        fault.into_result()
    }
}

/// Code of a commune or ward: five digits.
pub fn is_commune(code: &str) -> bool {
    code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit())
}

/// Code of a school: 8 to 15 digits or capital letters.
pub fn is_school(code: &str) -> bool {
    (8..=15).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
