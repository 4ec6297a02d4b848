//! Campuses of a school as registry has them, kept for half a minute.
use super::REGISTRY;
use eduhub_auth::AuthedChannel;
use eduhub_cache::Cache;
use eduhub_faults::{Fault, of_peer};
use eduhub_proto::{
    common::v1::{Kind, ListRecordsRequest},
    registry::v1::record_service_client::RecordServiceClient,
};
use std::{collections::BTreeSet, time::Duration};
use tonic::Status;

/// A push has many batches, which ask again each time; a campus taken away is noticed after this.
const KEEP: Duration = Duration::from_secs(30);
/// Campuses in one page; more are rare: a mountain school has a dozen.
const PAGE: i32 = 1_000;

/// Codes of a school's campuses, as they are kept.
#[derive(Clone, PartialEq, prost::Message)]
struct CampusCodes {
    #[prost(string, repeated, tag = "1")]
    codes: Vec<String>,
}

/// Looks up campuses.
#[derive(Clone)]
pub struct Campuses {
    registry: RecordServiceClient<AuthedChannel>,
    cache: Cache,
}

impl Campuses {
    /// Asks registry on this channel.
    pub fn new(registry: AuthedChannel, cache: Cache) -> Self {
        Self { registry: RecordServiceClient::new(registry), cache }
    }

    /// Which of these codes are no campus of the school. A code that the kept list lacks makes it be asked for once
    /// more: a vendor pushes its campuses to registry and, a moment later, its rooms here.
    ///
    /// # Errors
    /// UNAVAILABLE when registry can't be asked.
    pub async fn unknown(
        &self,
        school_code: &str,
        mut codes: BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Fault> {
        self.strike_out(school_code, &mut codes).await?;
        if !codes.is_empty() {
            self.cache.invalidate(&key(school_code)).await;
            self.strike_out(school_code, &mut codes).await?;
        }
        Ok(codes)
    }

    async fn strike_out(&self, school_code: &str, codes: &mut BTreeSet<String>) -> Result<(), Fault> {
        let fetch = fetch(self.registry.clone(), school_code.to_owned());
        let found: Result<CampusCodes, Status> =
            self.cache.get_or_fetch(&key(school_code), KEEP, fetch).await;
        let found = found.map_err(|status| of_peer(REGISTRY, status))?;
        for code in &found.codes {
            codes.remove(code);
        }
        Ok(())
    }
}

fn key(school_code: &str) -> String {
    format!("campuses/{school_code}")
}

async fn fetch(
    mut registry: RecordServiceClient<AuthedChannel>,
    school_code: String,
) -> Result<CampusCodes, Status> {
    let mut codes = Vec::new();
    let mut page_token = String::new();
    loop {
        let kind = Kind::Campus as i32;
        let request = ListRecordsRequest {
            school_code: school_code.clone(),
            kind,
            page_size: PAGE,
            page_token,
            ..ListRecordsRequest::default()
        };
        let page = registry.list_records(request).await?.into_inner();
        codes.extend(
            page.records.into_iter().filter_map(|change| change.header).map(|header| header.record_key),
        );
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(CampusCodes { codes });
        }
    }
}
