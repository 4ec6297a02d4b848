//! Where schools stand, for access checks.

use std::time::Duration;

use eduhub_auth::SchoolPlace;
use eduhub_cache::Cache;
use eduhub_faults::Fault;
use eduhub_proto::common::v1::Level;
use eduhub_proto::registry::v1::{GetSchoolRequest, SchoolEntry};
use tonic::Status;

use crate::error::of_peer;
use crate::peers::{Peers, within_deadline};

/// Schools change their commune or name a few times a year.
const TTL: Duration = Duration::from_secs(300);

/// Where a school stands, from registry through the cache.
///
/// # Errors
/// NOT_FOUND/SCHOOL_NOT_FOUND, UNAVAILABLE.
pub async fn place(cache: &Cache, peers: &Peers, school_code: &str) -> Result<SchoolPlace, Fault> {
    let request = GetSchoolRequest { school_code: school_code.to_owned() };
    let fetch = async { Ok::<SchoolEntry, Status>(peers.schools().get_school(request).await?.into_inner()) };
    let school: SchoolEntry = cache
        .get_or_fetch(&format!("school/{school_code}"), TTL, fetch)
        .await
        .map_err(|status| of_peer("registry", status))?;
    Ok(SchoolPlace { school_code: school.school_code, commune_code: school.commune_code })
}

/// Level of a school: the annex writes some symbols differently by it. Asked once a transfer, so without a cache.
///
/// # Errors
/// NOT_FOUND/SCHOOL_NOT_FOUND, UNAVAILABLE.
pub async fn level(peers: &Peers, school_code: &str) -> Result<Level, Fault> {
    let request = GetSchoolRequest { school_code: school_code.to_owned() };
    let school = peers.schools().get_school(within_deadline(request)).await;
    Ok(school.map_err(|status| peers.fault("registry", status))?.into_inner().level())
}
