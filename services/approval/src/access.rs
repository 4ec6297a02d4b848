//! What a caller may see and for whom it decides, read off its token.

use eduhub_auth::{Caller, CallerKind, Role};
use eduhub_proto::common::v1::{DataDomain, Dataset, Sensitivity};

/// Principal of the service that moves approved data to the Ministry.
const BRIDGE: &str = "bridge";

/// The submissions that a caller may see. The rest does not exist for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// All schools.
    pub province: bool,
    /// Schools of these communes.
    pub communes: Vec<String>,
    /// These schools.
    pub schools: Vec<String>,
    /// Numbers of the datasets whose domain the caller holds.
    pub datasets: Vec<i16>,
    /// Whether names of persons are shown: they are basic personal data.
    pub names: bool,
}

impl Sight {
    /// What `caller` may see.
    pub fn of(caller: &Caller) -> Self {
        let all = [Dataset::Pupils, Dataset::Staff, Dataset::Results, Dataset::Facilities];
        let held = |dataset: &Dataset| caller.has_domain(domain_of(*dataset));
        Self {
            province: caller.scope.province,
            communes: caller.scope.communes.iter().cloned().collect(),
            schools: caller.scope.schools.iter().cloned().collect(),
            // Four numbers below five.
            datasets: all.iter().filter(|d| held(d)).map(|d| *d as i16).collect(),
            names: caller.max_class >= Sensitivity::Basic as i32,
        }
    }

    /// Whether a submission of this school, commune and dataset is in it.
    pub fn sees(&self, school_code: &str, commune_code: &str, dataset: i16) -> bool {
        let here = self.province
            || self.communes.iter().any(|c| c == commune_code)
            || self.schools.iter().any(|s| s == school_code);
        here && self.datasets.contains(&dataset)
    }
}

/// Domain that a caller must hold for a dataset.
pub fn domain_of(dataset: Dataset) -> DataDomain {
    match dataset {
        Dataset::Pupils => DataDomain::Pupil,
        Dataset::Staff => DataDomain::Staff,
        Dataset::Results => DataDomain::Result,
        Dataset::Facilities => DataDomain::Facility,
        Dataset::Unspecified => DataDomain::Unspecified,
    }
}

/// The office that a reviewer decides for: a commune by its code, a division by its code; each only with its own role, so
/// that a commune's officer never decides for a division.
pub fn reviewing_office(caller: &Caller) -> Option<&str> {
    let office = caller.office.as_deref()?;
    let is_commune = office.len() == 5 && office.bytes().all(|b| b.is_ascii_digit());
    let is_division = office.starts_with("DIV_");
    let may = (is_commune && caller.has_role(Role::CommuneReviewer))
        || (is_division && caller.has_role(Role::DivisionReviewer));
    may.then_some(office)
}

/// Whether the caller acts for this very school. A reviewer whose scope lists single schools does not.
pub fn is_of_school(caller: &Caller, school_code: &str) -> bool {
    let officer = caller.has_role(Role::SchoolOfficer) && caller.scope.schools.contains(school_code);
    officer || caller.has_office(school_code)
}

/// Whether the caller is the service that moves approved data to the Ministry.
pub fn is_bridge(caller: &Caller) -> bool {
    caller.kind == CallerKind::Service && (caller.sub == BRIDGE || caller.name == BRIDGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_auth::testing::Persona;

    #[test]
    fn an_office_counts_only_with_its_own_role() {
        let office = |persona: Persona| reviewing_office(&persona.caller()).map(str::to_owned);
        assert_eq!(office(Persona::commune_reviewer("14329")).as_deref(), Some("14329"));
        assert_eq!(office(Persona::division_reviewer("DIV_PRIMARY")).as_deref(), Some("DIV_PRIMARY"));
        assert_eq!(office(Persona::commune_reviewer("14329").office("DIV_PRIMARY")), None);
        assert_eq!(office(Persona::division_reviewer("14329")), None);
        assert_eq!(office(Persona::school_officer("37000001").office("14329")), None);
        assert_eq!(office(Persona::admin()), None);
    }

    #[test]
    fn only_a_schools_own_officer_acts_for_it() {
        assert!(is_of_school(&Persona::school_officer("37000001").caller(), "37000001"));
        assert!(!is_of_school(&Persona::school_officer("37000001").caller(), "37000002"));
        let mut listed = Persona::division_reviewer("DIV_PRIMARY");
        listed.0.scope = eduhub_auth::Scope::school("37000001");
        assert!(!is_of_school(&listed.caller(), "37000001"));
        assert!(!is_of_school(&Persona::admin().caller(), "37000001"));
    }

    #[test]
    fn sight_is_scope_times_domains() {
        let sight = Sight::of(&Persona::commune_reviewer("14329").domains(&[DataDomain::Staff]).caller());
        assert!(sight.sees("37000001", "14329", Dataset::Staff as i16));
        assert!(!sight.sees("37000001", "14329", Dataset::Pupils as i16));
        assert!(!sight.sees("37000001", "14330", Dataset::Staff as i16));
        assert!(is_bridge(&Persona::service("bridge").caller()));
        assert!(!is_bridge(&Persona::service("registry").caller()));
        assert!(!is_bridge(&Persona::school_officer("bridge").caller()));
    }
}
