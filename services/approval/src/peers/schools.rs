//! Schools as registry has them, kept for a minute.

use std::time::Duration;

use eduhub_auth::AuthedChannel;
use eduhub_cache::Cache;
use eduhub_faults::Fault;
use eduhub_proto::registry::v1::school_service_client::SchoolServiceClient;
use eduhub_proto::registry::v1::{GetSchoolRequest, SchoolEntry};

/// A school changes its commune or superior a few times in a decade; a minute of the old one is acceptable, since a
/// submission keeps the place it was made with anyway.
const KEEP: Duration = Duration::from_secs(60);

/// Looks up schools.
#[derive(Clone)]
pub struct Schools {
    registry: SchoolServiceClient<AuthedChannel>,
    cache: Cache,
}

impl Schools {
    /// Asks registry on this channel.
    pub fn new(registry: AuthedChannel, cache: Cache) -> Self {
        Self { registry: SchoolServiceClient::new(registry), cache }
    }

    /// A school.
    ///
    /// # Errors
    /// `SCHOOL_NOT_FOUND`, `UNAVAILABLE`.
    pub async fn get(&self, school_code: &str) -> Result<SchoolEntry, Fault> {
        let mut registry = self.registry.clone();
        let request = GetSchoolRequest { school_code: school_code.to_owned() };
        // Absence is an error and so never kept: a school that is registered now can submit now.
        let fetch = async move { registry.get_school(request).await.map(tonic::Response::into_inner) };
        let found = self.cache.get_or_fetch(&format!("school/{school_code}"), KEEP, fetch).await;
        found.map_err(|status: tonic::Status| super::refused("registry", status))
    }
}
