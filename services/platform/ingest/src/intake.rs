//! `IngestService`, which every service that takes records has in its own package. They differ by their records and by what
//! they ask before a push, but their generated traits have nothing in common: [`Intake`] does the work, and
//! [`ingest_service!`](crate::ingest_service) names the types.
use crate::{Comparison, Inbound, Ingest, Pushing, opening};
use async_trait::async_trait;
use eduhub_auth::{Caller, Gate};
use eduhub_changelog::RecordSet;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::{
    common::v1::{PushOpen, PushReply},
    dictionary::Levels,
};
use futures::{StreamExt, stream::BoxStream};
use std::sync::Arc;
use tonic::{Status, Streaming};

/// What a service asks before it takes a school's records.
#[async_trait]
pub trait Admits: Send + Sync + 'static {
    /// Requires that the school year is open for data and that records can be checked now; gives the levels of the school,
    /// [`Levels::NONE`] where they don't matter.
    ///
    /// # Errors
    /// FAILED_PRECONDITION/SCHOOL_YEAR_CLOSED; UNAVAILABLE/UNAVAILABLE with a retry hint.
    async fn admit(&self, open: &PushOpen) -> Result<Levels, Fault>;
}

/// Replies of a push.
pub type Replies = BoxStream<'static, Result<PushReply, Status>>;

/// Pushes, receipts and the digest handshake of one service.
pub struct Intake<S> {
    /// The ingest.
    pub ingest: Arc<Ingest<S>>,
    /// The digest handshake.
    pub comparison: Comparison<S>,
    gate: Gate,
    admits: Arc<dyn Admits>,
}

impl<S: RecordSet> Intake<S> {
    /// Over an ingest.
    pub fn new(ingest: Ingest<S>, gate: Gate, admits: impl Admits) -> Self {
        let comparison = Comparison::new(ingest.pool.clone(), ingest.vault.clone(), gate.clone());
        Self { ingest: Arc::new(ingest), comparison, gate, admits: Arc::new(admits) }
    }

    /// Serves a push of messages that `inbound` reads. Any domain of the service opens the stream; each record is checked
    /// against its own.
    ///
    /// # Errors
    /// UNAVAILABLE/UNAVAILABLE when the server is about to stop; those of a first message that is not `open`;
    /// NOT_FOUND/SCHOOL_NOT_FOUND; PERMISSION_DENIED/DOMAIN_OWNED with the owner of the school's data,
    /// PERMISSION_DENIED/FORBIDDEN without one; those of [`Admits::admit`].
    pub async fn push<M: Send + 'static>(
        &self,
        caller: &Caller,
        messages: Streaming<M>,
        inbound: fn(M) -> Inbound,
    ) -> Result<Replies, Status> {
        let mut inbound = messages.map(move |message| message.map(inbound)).boxed();
        let opening = tokio::select! {
            opening = opening(&mut inbound) => opening?,
            () = self.ingest.draining.cancelled() => return Err(Fault::stopping().into()),
        };
        self.reach(caller, &opening.open.school_code).await?;
        let levels = self.admits.admit(&opening.open).await?;
        let replies = self.ingest.serve(Pushing::of(caller).at(levels), opening, inbound, caller.revoked());
        Ok(replies.boxed())
    }

    /// Requires the school and any domain of the service.
    async fn reach(&self, caller: &Caller, school_code: &str) -> Result<(), Fault> {
        let domains = S::domains();
        match self.gate.any(caller, school_code, &domains).await {
            Err(fault) if fault.reason() == Reason::Forbidden => {
                Err(self.ingest.not_granted(school_code, &domains).await)
            }
            reached => reached,
        }
    }
}

/// Implements the `IngestService` of an API package for a type whose first field is an [`Intake`](crate::Intake). The crate
/// that calls it has `eduhub-auth`, `eduhub-proto`, `tonic`.
#[macro_export]
macro_rules! ingest_service {
    ($service:ty: $api:ident) => {
        const _: () = {
            use ::eduhub_auth::caller;
            use ::eduhub_proto::common::v1::{
                CompareGroupsRequest, CompareGroupsResponse, CompareRecordsRequest, CompareRecordsResponse,
                DigestKey, GetDigestKeyRequest, GetReceiptKeysRequest, ReceiptKeys,
            };
            use ::tonic::{Request, Response, Status, Streaming};

            fn inbound(message: $api::PushRequest) -> $crate::Inbound {
                match message.message {
                    None => $crate::Inbound::Nothing,
                    Some($api::push_request::Message::Open(open)) => $crate::Inbound::Open(open),
                    Some($api::push_request::Message::Batch(batch)) => $crate::Inbound::Batch(batch),
                    Some($api::push_request::Message::End(end)) => $crate::Inbound::End(end),
                }
            }

            #[::tonic::async_trait]
            impl $api::ingest_service_server::IngestService for $service {
                type PushStream = $crate::Replies;

                async fn push(
                    &self,
                    request: Request<Streaming<$api::PushRequest>>,
                ) -> Result<Response<Self::PushStream>, Status> {
                    let caller = caller(&request)?;
                    Ok(Response::new(self.0.push(&caller, request.into_inner(), inbound).await?))
                }

                async fn get_receipt_keys(
                    &self,
                    _: Request<GetReceiptKeysRequest>,
                ) -> Result<Response<ReceiptKeys>, Status> {
                    Ok(Response::new(ReceiptKeys { jwk_set: self.0.ingest.stamp.published() }))
                }

                async fn get_digest_key(
                    &self,
                    request: Request<GetDigestKeyRequest>,
                ) -> Result<Response<DigestKey>, Status> {
                    let caller = caller(&request)?;
                    let key = self.0.comparison.key(&caller, &request.get_ref().school_code).await?;
                    Ok(Response::new(key))
                }

                async fn compare_groups(
                    &self,
                    request: Request<CompareGroupsRequest>,
                ) -> Result<Response<CompareGroupsResponse>, Status> {
                    let caller = caller(&request)?;
                    Ok(Response::new(self.0.comparison.groups(&caller, request.into_inner()).await?))
                }

                async fn compare_records(
                    &self,
                    request: Request<CompareRecordsRequest>,
                ) -> Result<Response<CompareRecordsResponse>, Status> {
                    let caller = caller(&request)?;
                    Ok(Response::new(self.0.comparison.records(&caller, request.into_inner()).await?))
                }
            }
        };
    };
}
