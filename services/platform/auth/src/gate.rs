//! Schools before callers: where a school stands, and whether a caller may touch it.
use crate::{Caller, SchoolPlace};
use async_trait::async_trait;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::{
    common::v1::{DataDomain, Kind},
    dictionary::record_of,
};
use std::{collections::HashSet, sync::Arc};

/// Knows where schools stand: the service's own table, or a peer.
#[async_trait]
pub trait Places: Send + Sync + 'static {
    /// Place of a school.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND when there is none; UNAVAILABLE when that can't be told now.
    async fn place(&self, school_code: &str) -> Result<SchoolPlace, Fault>;

    /// Codes of all schools in these communes.
    ///
    /// # Errors
    /// UNAVAILABLE when that can't be told now.
    async fn in_communes(&self, communes: &[String]) -> Result<Vec<String>, Fault>;
}

/// Checks that a school is in a caller's reach. A school out of reach looks like one that does not exist.
#[derive(Clone)]
pub struct Gate(Arc<dyn Places>);

impl Gate {
    /// A gate over these places.
    pub fn new(places: impl Places) -> Self {
        Self(Arc::new(places))
    }

    /// Requires only that the school exists: for calls whose row lets in services alone.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND, UNAVAILABLE.
    pub async fn exists(&self, school_code: &str) -> Result<(), Fault> {
        self.0.place(school_code).await.map(drop)
    }

    /// Requires the school and a data domain.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND; PERMISSION_DENIED/FORBIDDEN when only the domain is out of reach.
    pub async fn school(&self, caller: &Caller, school_code: &str, domain: DataDomain) -> Result<(), Fault> {
        caller.require_school(&self.0.place(school_code).await?, domain)
    }

    /// Requires the school and the data domain of a kind.
    ///
    /// # Errors
    /// As [`Gate::school`]; INVALID_ARGUMENT for an unknown kind.
    pub async fn kind(&self, caller: &Caller, school_code: &str, kind: i32) -> Result<(), Fault> {
        let meta = Kind::try_from(kind).ok().and_then(record_of);
        let meta = meta.ok_or_else(|| Fault::invalid("kind", "unknown kind"))?;
        self.school(caller, school_code, meta.domain()).await
    }

    /// Requires the school and at least one of these data domains.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND; PERMISSION_DENIED/FORBIDDEN when the caller holds none of them.
    pub async fn any(&self, caller: &Caller, school_code: &str, domains: &[DataDomain]) -> Result<(), Fault> {
        if !caller.scope.covers(&self.0.place(school_code).await?) {
            return Err(Fault::new(Reason::SchoolNotFound));
        }
        let held = domains.iter().any(|domain| caller.has_domain(*domain));
        if held { Ok(()) } else { Err(Fault::new(Reason::Forbidden)) }
    }

    /// Codes of all schools in a commune; whether the caller may ask is the caller's to check.
    ///
    /// # Errors
    /// UNAVAILABLE when that can't be told now.
    pub async fn in_commune(&self, commune_code: &str) -> Result<Vec<String>, Fault> {
        self.0.in_communes(&[commune_code.to_owned()]).await
    }

    /// Codes of the schools in a caller's reach; `None` for the whole province.
    ///
    /// # Errors
    /// UNAVAILABLE when the schools of its communes can't be told now.
    pub async fn reach(&self, caller: &Caller) -> Result<Option<HashSet<String>>, Fault> {
        if caller.scope.province {
            return Ok(None);
        }
        let mut reach: HashSet<String> = caller.scope.schools.iter().cloned().collect();
        if !caller.scope.communes.is_empty() {
            let communes: Vec<String> = caller.scope.communes.iter().cloned().collect();
            reach.extend(self.0.in_communes(&communes).await?);
        }
        Ok(Some(reach))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Persona;

    struct One;

    #[async_trait]
    impl Places for One {
        async fn place(&self, school_code: &str) -> Result<SchoolPlace, Fault> {
            if school_code != "37000201" {
                return Err(Fault::new(Reason::SchoolNotFound));
            }
            Ok(SchoolPlace { school_code: school_code.to_owned(), commune_code: "14329".to_owned() })
        }

        async fn in_communes(&self, communes: &[String]) -> Result<Vec<String>, Fault> {
            Ok(if communes.iter().any(|c| c == "14329") { vec!["37000201".to_owned()] } else { vec![] })
        }
    }

    #[tokio::test]
    async fn out_of_reach_looks_absent_and_a_domain_is_needed() {
        let gate = Gate::new(One);
        let reason = |outcome: Result<(), Fault>| outcome.err().map(|fault| fault.reason());
        let domains = [DataDomain::Pupil, DataDomain::Facility];
        let (near, far) =
            (Persona::commune_reviewer("14329").caller(), Persona::commune_reviewer("14330").caller());
        let blind = Persona::commune_reviewer("14329").domains(&[DataDomain::Staff]).caller();
        assert_eq!(reason(gate.any(&near, "37000201", &domains).await), None);
        assert_eq!(reason(gate.any(&far, "37000201", &domains).await), Some(Reason::SchoolNotFound));
        assert_eq!(reason(gate.any(&near, "37000202", &domains).await), Some(Reason::SchoolNotFound));
        assert_eq!(reason(gate.any(&blind, "37000201", &domains).await), Some(Reason::Forbidden));
        assert_eq!(reason(gate.any(&near, "37000201", &[]).await), Some(Reason::Forbidden));
        assert_eq!(reason(gate.kind(&near, "37000201", Kind::Room as i32).await), None);
        assert_eq!(reason(gate.kind(&blind, "37000201", Kind::Room as i32).await), Some(Reason::Forbidden));
        assert_eq!(reason(gate.kind(&near, "37000201", 999).await), Some(Reason::InvalidRequest));
    }

    #[tokio::test]
    async fn reach_is_the_schools_of_the_communes_and_those_named() {
        let gate = Gate::new(One);
        let set = |codes: &[&str]| Some(codes.iter().map(|c| (*c).to_owned()).collect::<HashSet<String>>());
        let mut both = Persona::commune_reviewer("14329").caller();
        both.scope.schools.insert("37000900".to_owned());
        assert_eq!(gate.reach(&both).await.unwrap(), set(&["37000201", "37000900"]));
        assert_eq!(gate.reach(&Persona::commune_reviewer("14330").caller()).await.unwrap(), set(&[]));
        assert_eq!(gate.reach(&Persona::admin().caller()).await.unwrap(), None);
    }
}
