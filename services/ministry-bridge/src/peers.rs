//! The other services, called as the bridge itself.

use std::time::Duration;

use eduhub_auth::{AuthedChannel, ServiceIdentity};
use eduhub_faults::Fault;
use eduhub_proto::approval::v1::submission_service_client::SubmissionServiceClient;
use eduhub_proto::facility::v1::seal_service_client::SealServiceClient as FacilitySeals;
use eduhub_proto::registry::v1::code_list_service_client::CodeListServiceClient;
use eduhub_proto::registry::v1::school_service_client::SchoolServiceClient;
use eduhub_proto::registry::v1::seal_service_client::SealServiceClient as RegistrySeals;
use eduhub_runtime::client::GrpcChannel;
use tonic::{Request, Status};

/// A page of a seal: 500 records of the widest kind are about 1 MiB.
const LARGEST_ANSWER: usize = 16 << 20;
/// Deadline of a call made outside of a request.
const DEADLINE: Duration = Duration::from_secs(20);

/// The services that the bridge asks, as itself.
#[derive(Clone)]
pub struct Peers {
    approval: AuthedChannel,
    registry: AuthedChannel,
    facility: AuthedChannel,
}

impl Peers {
    /// Channels with this service's token.
    pub fn new(
        identity: &ServiceIdentity,
        approval: GrpcChannel,
        registry: GrpcChannel,
        facility: GrpcChannel,
    ) -> Self {
        Self {
            approval: identity.channel(approval),
            registry: identity.channel(registry),
            facility: identity.channel(facility),
        }
    }

    /// Submissions.
    pub fn submissions(&self) -> SubmissionServiceClient<AuthedChannel> {
        SubmissionServiceClient::new(self.approval.clone())
    }

    /// Registry's seals.
    pub fn registry_seals(&self) -> RegistrySeals<AuthedChannel> {
        RegistrySeals::new(self.registry.clone()).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// Facility's seals.
    pub fn facility_seals(&self) -> FacilitySeals<AuthedChannel> {
        FacilitySeals::new(self.facility.clone()).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// Registered schools.
    pub fn schools(&self) -> SchoolServiceClient<AuthedChannel> {
        SchoolServiceClient::new(self.registry.clone())
    }

    /// Code lists.
    pub fn codes(&self) -> CodeListServiceClient<AuthedChannel> {
        CodeListServiceClient::new(self.registry.clone()).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// What a peer's refusal means here.
    pub fn fault(&self, peer: &'static str, status: Status) -> Fault {
        crate::error::of_peer(peer, status)
    }
}

/// A request with the bridge's own deadline.
pub fn within_deadline<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}
