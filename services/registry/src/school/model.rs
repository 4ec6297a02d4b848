//! What a registration must be.
use eduhub_faults::{Fault, Reason};
use eduhub_proto::{common::v1::Level, registry::v1::SchoolEntry};

/// A registered school.
#[derive(Debug, Clone, PartialEq)]
pub struct School(pub SchoolEntry);

impl School {
    /// As it goes over the wire.
    pub fn into_entry(self) -> SchoolEntry {
        self.0
    }
}

/// All violations of a list of registrations at once. Communes are checked by the database.
pub fn check(schools: &[SchoolEntry]) -> Result<(), Fault> {
    let mut fault = Fault::new(Reason::InvalidRequest);
    if schools.is_empty() || schools.len() > 2_000 {
        fault = fault.violation("schools", "1 to 2,000 schools");
    }
    let mut seen = std::collections::HashSet::new();
    for (i, s) in schools.iter().enumerate() {
        let at = |field: &str| format!("schools[{i}].{field}");
        let code_ok = (8..=15).contains(&s.school_code.len())
            && s.school_code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        if !code_ok {
            fault = fault.violation(&at("school_code"), "8 to 15 of 0-9, A-Z");
        } else if !seen.insert(&s.school_code) {
            fault = fault.violation(&at("school_code"), "stands twice in the list");
        }
        let name = s.name.trim();
        if name.is_empty() || name.chars().count() > 200 {
            fault = fault.violation(&at("name"), "1 to 200 characters");
        }
        if Level::try_from(s.level).unwrap_or_default() == Level::Unspecified {
            fault = fault.violation(&at("level"), "unknown level");
        }
    }
    fault.into_result()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_entry_is_named() {
        let good = SchoolEntry {
            school_code: "37143290001".into(),
            name: "Trường Tiểu học Hoa Lư".into(),
            level: Level::Primary as i32,
            ..SchoolEntry::default()
        };
        assert!(check(std::slice::from_ref(&good)).is_ok());
        let bad =
            SchoolEntry { school_code: "37-1".into(), name: " ".into(), level: 9, ..SchoolEntry::default() };
        let status: tonic::Status = check(&[good.clone(), bad, good]).unwrap_err().into();
        let text = format!("{status:?}");
        let details = tonic_details(&status);
        assert_eq!(
            details,
            ["schools[1].school_code", "schools[1].name", "schools[1].level", "schools[2].school_code"],
            "{text}"
        );
    }

    fn tonic_details(status: &tonic::Status) -> Vec<String> {
        use tonic_types::StatusExt;
        let bad = status.get_details_bad_request().unwrap();
        bad.field_violations.into_iter().map(|v| v.field).collect()
    }
}
