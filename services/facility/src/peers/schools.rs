//! Schools as registry has them, kept for a few minutes.
use super::REGISTRY;
use async_trait::async_trait;
use eduhub_auth::{AuthedChannel, Places, SchoolPlace};
use eduhub_cache::Cache;
use eduhub_faults::{Fault, of_peer};
use eduhub_proto::registry::v1::{
    GetSchoolRequest, ListSchoolsRequest, school_service_client::SchoolServiceClient,
};
use std::time::Duration;
use tonic::{Response, Status};

/// A school's commune changes with a reform, not in minutes.
const KEEP: Duration = Duration::from_secs(300);
/// Schools in one page: registry's most.
const PAGE: i32 = 2_000;

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

    async fn in_commune(&self, commune_code: &str) -> Result<Vec<String>, Fault> {
        let mut codes = Vec::new();
        let mut page_token = String::new();
        loop {
            let request =
                ListSchoolsRequest { commune_code: commune_code.to_owned(), page_size: PAGE, page_token };
            let page = self.registry.clone().list_schools(request).await;
            let page = page.map_err(|status| of_peer(REGISTRY, status))?.into_inner();
            codes.extend(page.schools.into_iter().map(|school| school.school_code));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(codes);
            }
        }
    }
}

#[async_trait]
impl Places for Schools {
    async fn place(&self, school_code: &str) -> Result<SchoolPlace, Fault> {
        let mut registry = self.registry.clone();
        let request = GetSchoolRequest { school_code: school_code.to_owned() };
        // Absence is an error and so never kept: a school that is registered now can push now.
        let fetch = async move { registry.get_school(request).await.map(Response::into_inner) };
        let found = self.cache.get_or_fetch(&format!("school/{school_code}"), KEEP, fetch).await;
        let school = found.map_err(|status: Status| of_peer(REGISTRY, status))?;
        Ok(SchoolPlace { school_code: school.school_code, commune_code: school.commune_code })
    }

    /// Not kept: it is asked once for each stream that opens.
    async fn in_communes(&self, communes: &[String]) -> Result<Vec<String>, Fault> {
        let mut codes = Vec::new();
        for commune in communes {
            codes.extend(self.in_commune(commune).await?);
        }
        Ok(codes)
    }
}
