//! A scope covers exactly what it names.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail")]
use eduhub_auth::testing::Persona;
use eduhub_auth::{Role, SchoolPlace, Scope};
use eduhub_faults::Reason;
use eduhub_proto::common::v1::DataDomain;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn codes() -> impl Strategy<Value = BTreeSet<String>> {
    prop::collection::btree_set("[0-9]{1}", 0..4)
}

prop_compose! {
    fn scopes()(province in any::<bool>(), communes in codes(), schools in codes()) -> Scope {
        Scope { province, communes, schools }
    }
}

fn domain() -> impl Strategy<Value = DataDomain> {
    (1..=6).prop_map(|n| DataDomain::try_from(n).unwrap())
}

proptest! {
    #[test]
    fn a_school_passes_only_by_province_commune_or_name(
        scope in scopes(), school in "[0-9]", commune in "[0-9]", held in prop::collection::vec(domain(), 0..6), asked in domain(),
    ) {
        let caller = Persona::new(Role::Vendor, scope.clone()).domains(&held).caller();
        let place = SchoolPlace { school_code: school.clone(), commune_code: commune.clone() };
        let reached = scope.province || scope.communes.contains(&commune) || scope.schools.contains(&school);
        let outcome = caller.require_school(&place, asked).map_err(|fault| fault.reason());
        let expected = match (reached, held.contains(&asked)) {
            (false, _) => Err(Reason::SchoolNotFound),
            (true, false) => Err(Reason::Forbidden),
            (true, true) => Ok(()),
        };
        prop_assert_eq!(outcome, expected);
    }

    #[test]
    fn a_school_of_the_scope_never_opens_its_commune(school in "[0-9]", commune in "[0-9]") {
        let caller = Persona::vendor(&school).caller();
        prop_assert!(caller.require_commune(&commune).is_err());
        prop_assert!(caller.require_province().is_err());
    }

    #[test]
    fn nothing_reaches_an_unspecified_domain(scope in scopes()) {
        let mut caller = Persona::new(Role::Vendor, scope).caller();
        caller.domains.push(DataDomain::Unspecified);
        prop_assert!(caller.require_domain(DataDomain::Unspecified).is_err());
    }
}
