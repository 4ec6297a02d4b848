//! Seals: registry fixes pupils, staff and results, facility fixes facilities.

use eduhub_auth::AuthedChannel;
use eduhub_faults::Fault;
use eduhub_proto::common::v1::{Dataset, Seal, SealRequest};
use eduhub_proto::facility::v1::seal_service_client::SealServiceClient as FacilitySeals;
use eduhub_proto::registry::v1::seal_service_client::SealServiceClient as RegistrySeals;

/// Length of a seal's digest: SHA-256.
const DIGEST: usize = 32;

/// Makes seals.
#[derive(Clone)]
pub struct Seals {
    registry: RegistrySeals<AuthedChannel>,
    facility: FacilitySeals<AuthedChannel>,
}

impl Seals {
    /// Asks registry and facility on these channels.
    pub fn new(registry: AuthedChannel, facility: AuthedChannel) -> Self {
        Self { registry: RegistrySeals::new(registry), facility: FacilitySeals::new(facility) }
    }

    /// Fixes the state of a dataset; the same id again gives the same seal.
    ///
    /// # Errors
    /// `SCHOOL_NOT_FOUND`, `SCHOOL_YEAR_CLOSED`, `OVERLOADED`, `UNAVAILABLE`; `INTERNAL` when the seal is not the one that
    /// was asked for.
    pub async fn create(&self, request: SealRequest) -> Result<Seal, Fault> {
        let asked = request.clone();
        let (owner, answer) = match request.dataset() {
            Dataset::Facilities => ("facility", self.facility.clone().create_seal(request).await),
            _ => ("registry", self.registry.clone().create_seal(request).await),
        };
        let seal = answer.map_err(|status| super::refused(owner, status))?.into_inner();
        let fits = seal.seal_id == asked.seal_id
            && seal.school_code == asked.school_code
            && seal.school_year == asked.school_year
            && seal.dataset == asked.dataset
            && seal.digest.len() == DIGEST;
        if fits {
            Ok(seal)
        } else {
            Err(Fault::internal("the seal is not the one that was asked for").meta("service", owner))
        }
    }
}
