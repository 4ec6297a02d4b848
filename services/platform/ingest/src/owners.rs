//! Who owns the data that a sender's grant does not cover. Asked only when a refusal is to be worded: what may be written is in the
//! sender's token.
use async_trait::async_trait;
use eduhub_auth::AuthedChannel;
use eduhub_cache::Cache;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::{
    common::v1::DataDomain,
    identity::v1::{GrantKind, ListGrantsRequest, grant_service_client::GrantServiceClient},
};
use std::time::Duration;
use tonic::Status;

/// How long an answer is kept: somebody who goes on trying does not make identity be asked each time.
const KEEP: Duration = Duration::from_secs(30);
/// Longest wait for identity: the refusal itself does not depend on it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Open vendors' grants of a school at most: one for each domain.
const PAGE: i32 = 100;

/// The grant that owns a data domain of a school. No personal data.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Owner {
    /// Id of the grant.
    #[prost(string, tag = "1")]
    pub grant_id: String,
    /// Vendor.
    #[prost(string, tag = "2")]
    pub vendor_code: String,
    /// Software, for people.
    #[prost(string, tag = "3")]
    pub software: String,
    /// Numbers of its domains.
    #[prost(int32, repeated, tag = "4")]
    pub domains: Vec<i32>,
}

/// Knows the owners of schools' data.
#[async_trait]
pub trait Owners: Send + Sync + 'static {
    /// Vendors' grants of a school; empty also when that can't be told now.
    async fn of_school(&self, school_code: &str) -> Vec<Owner>;
}

/// Knows nobody.
pub struct NoOwners;

#[async_trait]
impl Owners for NoOwners {
    async fn of_school(&self, _: &str) -> Vec<Owner> {
        vec![]
    }
}

/// Owners as identity has them, kept for half a minute.
pub struct GrantOwners {
    grants: GrantServiceClient<AuthedChannel>,
    cache: Cache,
}

/// Owners of one school, as they are kept.
#[derive(Clone, PartialEq, prost::Message)]
struct Kept {
    #[prost(message, repeated, tag = "1")]
    owners: Vec<Owner>,
}

impl GrantOwners {
    /// Asks identity on this channel.
    pub fn new(identity: AuthedChannel, cache: Cache) -> Self {
        Self { grants: GrantServiceClient::new(identity), cache }
    }

    async fn ask(mut grants: GrantServiceClient<AuthedChannel>, school_code: String) -> Result<Kept, Status> {
        let request = ListGrantsRequest { school_code, page_size: PAGE, ..ListGrantsRequest::default() };
        let answer = tokio::time::timeout(PATIENCE, grants.list_grants(request)).await;
        let grants = answer.map_err(|_| Status::deadline_exceeded("identity is slow"))??.into_inner().grants;
        let vendors = grants.into_iter().filter(|grant| grant.kind() == GrantKind::Vendor);
        let owner = |g: eduhub_proto::identity::v1::Grant| Owner {
            grant_id: g.grant_id,
            vendor_code: g.vendor_code,
            software: g.software,
            domains: g.domains,
        };
        Ok(Kept { owners: vendors.map(owner).collect() })
    }
}

#[async_trait]
impl Owners for GrantOwners {
    async fn of_school(&self, school_code: &str) -> Vec<Owner> {
        let fetch = Self::ask(self.grants.clone(), school_code.to_owned());
        let kept: Result<Kept, Status> =
            self.cache.get_or_fetch(&format!("owners/{school_code}"), KEEP, fetch).await;
        kept.map(|kept| kept.owners).unwrap_or_else(|status| {
            tracing::warn!(code = ?status.code(), "a refusal names no owner: identity did not tell");
            vec![]
        })
    }
}

/// The refusal of a write to domains of a school that the sender's grant does not cover: DOMAIN_OWNED with the first one's
/// owner, FORBIDDEN when nobody owns any of them.
pub(crate) async fn refusal(owners: &dyn Owners, school_code: &str, domains: &[DataDomain]) -> Fault {
    let all = owners.of_school(school_code).await;
    let owned = domains.iter().find_map(|domain| {
        all.iter().find(|owner| owner.domains.contains(&(*domain as i32))).map(|owner| (domain, owner))
    });
    match (owned, domains) {
        (Some((domain, owner)), _) => Fault::new(Reason::DomainOwned)
            .meta("domain", domain.as_str_name())
            .meta("grant_id", &owner.grant_id)
            .meta("vendor_code", &owner.vendor_code)
            .meta("software", &owner.software),
        (None, [one]) => Fault::new(Reason::Forbidden).meta("domain", one.as_str_name()),
        (None, _) => Fault::new(Reason::Forbidden),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    #[async_trait]
    impl Owners for Two {
        async fn of_school(&self, _: &str) -> Vec<Owner> {
            let owner = |grant: &str, domains: &[DataDomain]| Owner {
                grant_id: grant.into(),
                domains: domains.iter().map(|d| *d as i32).collect(),
                ..Owner::default()
            };
            vec![
                owner("g-1", &[DataDomain::School, DataDomain::Pupil]),
                owner("g-2", &[DataDomain::Facility]),
            ]
        }
    }

    #[tokio::test]
    async fn the_owner_is_named_and_nobody_where_there_is_none() {
        let reason = |fault: &Fault| fault.reason();
        let owned = refusal(&Two, "37000001", &[DataDomain::Facility]).await;
        assert_eq!(reason(&owned), Reason::DomainOwned);
        assert_eq!(reason(&refusal(&Two, "37000001", &[DataDomain::Health]).await), Reason::Forbidden);
        assert_eq!(reason(&refusal(&NoOwners, "37000001", &[DataDomain::Pupil]).await), Reason::Forbidden);
        let any = refusal(&Two, "37000001", &[DataDomain::Health, DataDomain::Pupil]).await;
        assert_eq!(reason(&any), Reason::DomainOwned);
    }
}
