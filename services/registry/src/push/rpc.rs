//! IngestService.
use crate::{access::Access, records::RegistryRecords, school::store};
use eduhub_auth::{Caller, caller};
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::{Inbound, InboundBatch, Ingest, Pushing};
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::{
    common::v1::{DataDomain, PushOpen, PushReply},
    registry::v1::{PushRequest, Record, ingest_service_server::IngestService, push_request},
};
use futures::{StreamExt, stream::BoxStream};
use prost::Message;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tonic::{Request, Response, Status, Streaming};

/// The service.
pub struct Pushes {
    /// The ingest.
    pub ingest: Arc<Ingest<RegistryRecords>>,
    /// Database.
    pub pool: PgPool,
    /// Access checks.
    pub access: Access,
}

impl Pushes {
    /// Checks that the caller may push for the school, and that the year is open.
    async fn admit(&self, caller: &Caller, open: &PushOpen) -> Result<Pushing, Fault> {
        // Any domain of the grant opens the stream; each record is checked against its own.
        let first = caller.domains.first().copied().unwrap_or(DataDomain::Unspecified);
        self.access.school(caller, &open.school_code, first).await?;
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        if !store::year_is_open(&mut conn, open.school_year).await? {
            return Err(Fault::new(Reason::SchoolYearClosed).meta("school_year", open.school_year));
        }
        Ok(Pushing {
            grant_id: caller.grant,
            actor: caller.sub.clone(),
            domains: caller.domains.iter().map(|d| *d as i32).collect(),
        })
    }
}

#[tonic::async_trait]
impl IngestService for Pushes {
    type PushStream = BoxStream<'static, Result<PushReply, Status>>;

    async fn push(&self, request: Request<Streaming<PushRequest>>) -> Result<Response<Self::PushStream>, Status> {
        let caller = caller(&request)?;
        let mut inbound = request.into_inner().map(|m| m.map(inbound)).boxed();
        let open = match inbound.next().await {
            Some(Ok(Inbound::Open(open))) => open,
            Some(Err(status)) => return Err(status),
            _ => return Err(Fault::new(Reason::Protocol).detail("the first message must be open").into()),
        };
        let who = self.admit(&caller, &open).await?;
        let replies = self.ingest.serve(who, open, inbound);
        // A revoked grant ends its open streams; what is durable stays, the session can be resumed under a new grant's token.
        let revoked = caller.revoked();
        let ended = futures::stream::once(async move { Err(Status::from(revoked.await)) });
        let stream = futures::stream::select(replies.map(Some).chain(done()), ended.map(Some));
        Ok(Response::new(until_done(stream).boxed()))
    }
}

fn done<T>() -> impl futures::Stream<Item = Option<T>> {
    futures::stream::once(async { None })
}

/// The items up to the first `None`, or up to and with the first error.
fn until_done<T>(
    stream: impl futures::Stream<Item = Option<Result<T, Status>>>,
) -> impl futures::Stream<Item = Result<T, Status>> {
    let mut failed = false;
    stream
        .take_while(move |item| {
            let go_on = item.is_some() && !failed;
            failed = matches!(item, Some(Err(_)));
            std::future::ready(go_on)
        })
        .filter_map(std::future::ready)
}

fn inbound(message: PushRequest) -> Inbound<Record> {
    match message.message {
        None => Inbound::Nothing,
        Some(push_request::Message::Open(open)) => Inbound::Open(open),
        Some(push_request::Message::End(end)) => Inbound::End(end),
        Some(push_request::Message::Batch(batch)) => {
            let digest = Sha256::digest(batch.encode_to_vec()).into();
            let (number, records, withdrawals) = (batch.number, batch.records, batch.withdrawals);
            Inbound::Batch(InboundBatch { number, records, withdrawals, digest })
        }
    }
}
