//! IngestService.
use crate::{records::RegistryRecords, school::store};
use eduhub_auth::{Caller, Gate, caller};
use eduhub_changelog::RecordSet;
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::{Comparison, Inbound, Ingest, Pushing, opening};
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::{
    common::v1::{
        CompareGroupsRequest, CompareGroupsResponse, CompareRecordsRequest, CompareRecordsResponse,
        DigestKey, GetDigestKeyRequest, GetReceiptKeysRequest, PushOpen, PushReply, ReceiptKeys,
    },
    dictionary::Levels,
    registry::v1::{PushRequest, ingest_service_server::IngestService, push_request},
};
use futures::{StreamExt, stream::BoxStream};
use std::sync::Arc;
use tonic::{Request, Response, Status, Streaming};

/// The service.
pub struct Pushes {
    /// The ingest.
    pub ingest: Arc<Ingest<RegistryRecords>>,
    /// The digest handshake.
    pub comparison: Comparison<RegistryRecords>,
    /// Database.
    pub pool: PgPool,
    /// Access checks.
    pub gate: Gate,
}

impl Pushes {
    /// Checks that the caller may push for the school, and that the year is open, and gives the school's levels. Any domain
    /// of the service opens the stream; each record is checked against its own.
    async fn admit(&self, caller: &Caller, open: &PushOpen) -> Result<Levels, Fault> {
        self.gate.any(caller, &open.school_code, &RegistryRecords::domains()).await?;
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        if !store::year_is_open(&mut conn, open.school_year).await? {
            return Err(Fault::new(Reason::SchoolYearClosed).meta("school_year", open.school_year));
        }
        Ok(store::levels(&mut conn, &open.school_code).await?)
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
        let levels = self.admit(&caller, &opening.open).await?;
        let replies = self.ingest.serve(Pushing::of(&caller).at(levels), opening, inbound, caller.revoked());
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
