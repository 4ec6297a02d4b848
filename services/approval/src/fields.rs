//! Reading request fields: every violation collected, then answered at once.

use eduhub_faults::{Fault, Reason};
use prost_types::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

/// The violations of one request.
#[derive(Debug, Default)]
pub struct Violations(Vec<(String, String)>);

impl Violations {
    /// Adds one.
    pub fn add(&mut self, field: impl Into<String>, what: impl Into<String>) {
        self.0.push((field.into(), what.into()));
    }

    /// Takes the value or notes that it is wrong.
    pub fn need<T>(&mut self, field: &str, what: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(field, what);
        }
        value
    }

    /// A UUID.
    pub fn uuid(&mut self, field: &str, text: &str) -> Option<Uuid> {
        // Only the canonical form: `parse_str` takes braces and URNs too, and one id should have one spelling.
        let id = Uuid::parse_str(text).ok().filter(|id| text.len() == 36 && !id.is_nil());
        self.need(field, "a UUID", id)
    }

    /// A known, specified value of an enum, as the number that is stored.
    pub fn number<E: TryFrom<i32>>(&mut self, field: &str, value: i32) -> Option<i16> {
        self.need(field, "required, a known value", number::<E>(value))
    }

    /// A school code.
    pub fn school_code(&mut self, field: &str, text: &str) -> Option<String> {
        let allowed = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
        let good = (8..=15).contains(&text.len()) && text.chars().all(allowed);
        self.need(field, "8 to 15 digits or capital letters", good.then(|| text.to_owned()))
    }

    /// A school year by its first year.
    pub fn school_year(&mut self, field: &str, year: i32) -> Option<i32> {
        self.need(
            field,
            "first year of the school year, 2000 to 2100",
            (2000..=2100).contains(&year).then_some(year),
        )
    }

    /// Text of at most `max` characters, outer spaces taken off.
    pub fn text(&mut self, field: &str, text: &str, max: usize) -> Option<String> {
        let text = text.trim();
        let good = text.chars().count() <= max && !text.contains('\0');
        self.need(
            field,
            &format!("at most {max} characters, none of them NUL"),
            good.then(|| text.to_owned()),
        )
    }

    /// `build`'s value when nothing was wrong, else all violations.
    ///
    /// # Errors
    /// `INVALID_REQUEST`.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, Fault> {
        let none = self.0.is_empty();
        let fault = self
            .0
            .iter()
            .fold(Fault::new(Reason::InvalidRequest), |f, (field, what)| f.violation(field, what));
        if none { build().ok_or(fault) } else { Err(fault) }
    }
}

/// Number of a known enum value other than "unspecified".
pub fn number<E: TryFrom<i32>>(value: i32) -> Option<i16> {
    E::try_from(value).ok().filter(|_| value != 0).and_then(|_| i16::try_from(value).ok())
}

/// Time as the API writes it.
pub fn timestamp(at: OffsetDateTime) -> Timestamp {
    let nanos = i32::try_from(at.nanosecond()).unwrap_or_default();
    Timestamp { seconds: at.unix_timestamp(), nanos }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::approval::v1::RouteScheme;

    #[test]
    fn violations_are_answered_together_and_only_when_there_are_some() {
        let mut v = Violations::default();
        assert_eq!(v.school_code("school_code", "08 1"), None);
        assert_eq!(v.school_year("school_year", 26), None);
        assert!(v.uuid("id", "{018f3c7e-0000-7000-8000-000000000001}").is_none());
        assert!(v.text("comment", &"ă".repeat(11), 10).is_none());
        assert_eq!(v.text("comment", " đủ rồi ", 10).as_deref(), Some("đủ rồi"));
        let status: tonic::Status = v.finish(|| Some(())).unwrap_err().into();
        let details = tonic_types::StatusExt::get_error_details(&status);
        assert_eq!(details.bad_request().unwrap().field_violations.len(), 4);
        assert_eq!(Violations::default().finish(|| Some(7)).unwrap(), 7);
    }

    #[test]
    fn unspecified_and_unknown_numbers_are_refused() {
        assert_eq!(number::<RouteScheme>(0), None);
        assert_eq!(number::<RouteScheme>(99), None);
        assert_eq!(number::<RouteScheme>(2), Some(2));
    }
}
