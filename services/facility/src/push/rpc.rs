//! IngestService.
use crate::{config::SchoolYears, peers::CodeBook, records::FacilityRecords};
use eduhub_auth::{Caller, Gate, caller};
use eduhub_changelog::RecordSet;
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::{Comparison, Inbound, Ingest, Pushing, opening};
use eduhub_proto::{
    common::v1::{
        CompareGroupsRequest, CompareGroupsResponse, CompareRecordsRequest, CompareRecordsResponse,
        DigestKey, GetDigestKeyRequest, GetReceiptKeysRequest, PushOpen, PushReply, ReceiptKeys,
    },
    facility::v1::{PushRequest, ingest_service_server::IngestService, push_request},
};
use futures::{StreamExt, stream::BoxStream};
use std::{sync::Arc, time::Duration};
use tonic::{Request, Response, Status, Streaming};

/// When to try again while the code lists are not here: they are asked for every second until then.
const RETRY: Duration = Duration::from_secs(2);

/// The service.
pub struct Pushes {
    /// The ingest.
    pub ingest: Arc<Ingest<FacilityRecords>>,
    /// The digest handshake.
    pub comparison: Comparison<FacilityRecords>,
    /// Access checks.
    pub gate: Gate,
    /// Code lists.
    pub codes: CodeBook,
    /// School years that are open for data.
    pub open_years: SchoolYears,
}

impl Pushes {
    /// Checks that the caller may push for the school, that the year is open, and that records can be checked.
    async fn admit(&self, caller: &Caller, open: &PushOpen) -> Result<(), Fault> {
        self.gate.any(caller, &open.school_code, &FacilityRecords::domains()).await?;
        if !self.open_years.contains(open.school_year) {
            return Err(Fault::new(Reason::SchoolYearClosed).meta("school_year", open.school_year));
        }
        // Against no lists at all every code would be unknown.
        if !self.codes.is_loaded() {
            return Err(Fault::new(Reason::Unavailable)
                .detail("code lists are not loaded yet")
                .retry_after(RETRY));
        }
        Ok(())
    }
}

#[tonic::async_trait]
impl IngestService for Pushes {
    type PushStream = BoxStream<'static, Result<PushReply, Status>>;

    async fn push(
        &self,
        request: Request<Streaming<PushRequest>>,
    ) -> Result<Response<Self::PushStream>, Status> {
        let caller = caller(&request)?;
        let mut inbound = request.into_inner().map(|m| m.map(inbound)).boxed();
        let opening = opening(&mut inbound).await?;
        self.admit(&caller, &opening.open).await?;
        let replies = self.ingest.serve(Pushing::of(&caller), opening, inbound, caller.revoked());
        Ok(Response::new(replies.boxed()))
    }

    async fn get_receipt_keys(
        &self,
        _: Request<GetReceiptKeysRequest>,
    ) -> Result<Response<ReceiptKeys>, Status> {
        Ok(Response::new(ReceiptKeys { jwk_set: self.ingest.stamp.published() }))
    }

    async fn get_digest_key(
        &self,
        request: Request<GetDigestKeyRequest>,
    ) -> Result<Response<DigestKey>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.comparison.key(&caller, &request.get_ref().school_code).await?))
    }

    async fn compare_groups(
        &self,
        request: Request<CompareGroupsRequest>,
    ) -> Result<Response<CompareGroupsResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.comparison.groups(&caller, request.into_inner()).await?))
    }

    async fn compare_records(
        &self,
        request: Request<CompareRecordsRequest>,
    ) -> Result<Response<CompareRecordsResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.comparison.records(&caller, request.into_inner()).await?))
    }
}

fn inbound(message: PushRequest) -> Inbound {
    match message.message {
        None => Inbound::Nothing,
        Some(push_request::Message::Open(open)) => Inbound::Open(open),
        Some(push_request::Message::Batch(batch)) => Inbound::Batch(batch),
        Some(push_request::Message::End(end)) => Inbound::End(end),
    }
}
