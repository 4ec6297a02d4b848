//! What may be asked, and what answers mean.
use crate::check::Check;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::identity::v1::PersonQuery;
use std::collections::HashSet;
use time::Date;

/// Persons of one request.
const MOST: usize = 500;
const MAX_REF: usize = 64;

/// Checks a request; nothing of what it says about persons is repeated in the answer.
///
/// # Errors
/// INVALID_ARGUMENT/INVALID_REQUEST with every violation.
pub fn check(persons: &[PersonQuery], today: Date) -> Result<(), Fault> {
    let mut check = Check::new(today);
    check.require(!persons.is_empty(), "persons", Reason::Missing);
    if persons.len() > MOST {
        check.refuse("persons", Reason::OutOfRange);
        return check.finish();
    }
    let mut seen = HashSet::new();
    for (i, person) in persons.iter().enumerate() {
        let field = |name: &str| format!("persons[{i}].{name}");
        let good = person.r#ref.len() <= MAX_REF && seen.insert(&person.r#ref);
        check.shape(&field("ref"), &person.r#ref, good);
        let digits = person.personal_id.len() == 12 && person.personal_id.bytes().all(|b| b.is_ascii_digit());
        check.shape(&field("personal_id"), &person.personal_id, digits);
        check.require(!person.full_name.is_empty(), &field("full_name"), Reason::Missing);
        check.past_date_from(&field("birth_date"), &person.birth_date, 1900);
        check.shape(&field("sex"), &person.sex, matches!(person.sex.as_str(), "0" | "1" | "2"));
    }
    check.finish()
}

/// Our name of a field of the population database, which writes its own in either case.
pub fn field_of(theirs: &str) -> Option<&'static str> {
    match theirs.to_ascii_lowercase().as_str() {
        "ho_ten" => Some("full_name"),
        "ngay_sinh" => Some("birth_date"),
        "gioi_tinh" => Some("sex"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    fn person(reference: &str) -> PersonQuery {
        PersonQuery {
            r#ref: reference.into(),
            personal_id: "037315000123".into(),
            full_name: "Nguyễn Thị An".into(),
            birth_date: "2015-03-02".into(),
            sex: "2".into(),
        }
    }

    #[test]
    fn references_are_unique_and_ids_well_formed() {
        let today = date!(2026 - 11 - 22);
        assert!(check(&[person("1"), person("2")], today).is_ok());
        assert!(check(&[person("1"), person("1")], today).is_err());
        assert!(check(&[], today).is_err());
        assert!(check(&vec![person("1"); 501], today).is_err());
        let mut bad = person("1");
        bad.personal_id = "03731500012O".into();
        let text = format!("{:?}", tonic::Status::from(check(&[bad], today).unwrap_err()));
        assert!(text.contains("persons[0].personal_id") && !text.contains("03731500012"));
    }
}
