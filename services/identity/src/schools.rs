//! Schools as registry has them, kept for a minute.
use eduhub_auth::AuthedChannel;
use eduhub_cache::Cache;
use eduhub_faults::{Fault, of_peer};
use eduhub_proto::registry::v1::school_service_client::SchoolServiceClient;
use eduhub_proto::registry::v1::{GetSchoolRequest, SchoolEntry};
use std::time::Duration;
use tonic::Status;

/// A school changes its commune or superior a few times in a decade, and an application keeps what it was made with.
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
    /// NOT_FOUND/SCHOOL_NOT_FOUND, UNAVAILABLE/UNAVAILABLE.
    pub async fn get(&self, school_code: &str) -> Result<SchoolEntry, Fault> {
        let mut registry = self.registry.clone();
        let request = GetSchoolRequest { school_code: school_code.to_owned() };
        // Absence is an error and so never kept: a school that is registered now can apply now.
        let fetch = async move { registry.get_school(request).await.map(tonic::Response::into_inner) };
        let found = self.cache.get_or_fetch(&format!("school/{school_code}"), KEEP, fetch).await;
        found.map_err(|status: Status| of_peer("registry", status))
    }
}
