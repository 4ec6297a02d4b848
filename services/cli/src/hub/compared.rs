//! Records before they are sent: the calls of the digest handshake, and a look at a record of any kind.
use super::{Facility, Pushed, Registry};
use eduhub_auth::AuthedChannel;
use eduhub_proto::common::v1::{
    CompareGroupsRequest, CompareGroupsResponse, CompareRecordsRequest, CompareRecordsResponse, DigestKey,
    GetDigestKeyRequest,
};
use eduhub_proto::dictionary::Record;
use eduhub_proto::{facility::v1 as facility, registry::v1 as registry};
use std::future::Future;
use tonic::Status;

/// Looks at a record whose type it learns only then.
pub trait Look {
    /// What it sees.
    type Seen;
    /// Called with the record.
    fn at<R: Record>(self, record: &R) -> Self::Seen;
}

/// A service that compares before records are pushed to it.
pub trait Compared: Pushed {
    /// Looks at a record; `None` for an empty message.
    fn look<L: Look>(record: &Self::Record, look: L) -> Option<L::Seen>;
    /// Key of a school's record digests.
    fn digest_key(
        channel: AuthedChannel,
        school_code: &str,
    ) -> impl Future<Output = Result<DigestKey, Status>> + Send;
    /// Which groups differ.
    fn compare_groups(
        channel: AuthedChannel,
        request: CompareGroupsRequest,
    ) -> impl Future<Output = Result<CompareGroupsResponse, Status>> + Send;
    /// Which records of some groups differ.
    fn compare_records(
        channel: AuthedChannel,
        request: CompareRecordsRequest,
    ) -> impl Future<Output = Result<CompareRecordsResponse, Status>> + Send;
}

macro_rules! compared {
    ($service:ident, $api:ident { $($kind:ident)* }) => {
        impl Compared for $service {
            fn look<L: Look>(record: &Self::Record, look: L) -> Option<L::Seen> {
                match record.record.as_ref()? {
                    $($api::record::Record::$kind(record) => Some(look.at(record)),)*
                }
            }

            async fn digest_key(channel: AuthedChannel, school_code: &str) -> Result<DigestKey, Status> {
                let mut client = $api::ingest_service_client::IngestServiceClient::new(channel);
                let request = GetDigestKeyRequest { school_code: school_code.to_owned() };
                Ok(client.get_digest_key(request).await?.into_inner())
            }

            async fn compare_groups(
                channel: AuthedChannel,
                request: CompareGroupsRequest,
            ) -> Result<CompareGroupsResponse, Status> {
                let mut client = $api::ingest_service_client::IngestServiceClient::new(channel);
                Ok(client.compare_groups(request).await?.into_inner())
            }

            async fn compare_records(
                channel: AuthedChannel,
                request: CompareRecordsRequest,
            ) -> Result<CompareRecordsResponse, Status> {
                let mut client = $api::ingest_service_client::IngestServiceClient::new(channel);
                Ok(client.compare_records(request).await?.into_inner())
            }
        }
    };
}

compared!(Registry, registry {
    School Campus Class Pupil Staff Enrolment TermResult Health Attendance Retake Graduation FreeCandidate
});
compared!(Facility, facility { Room });
