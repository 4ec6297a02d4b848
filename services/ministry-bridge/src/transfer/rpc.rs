use eduhub_auth::{Caller, caller};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::in_tx;
use eduhub_proto::bridge::v1 as pb;
use eduhub_proto::bridge::v1::transfer_service_server::TransferService;
use futures::stream::BoxStream;
use time::OffsetDateTime;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::model::Transfer;
use super::{start, store, wire};
use crate::core::Core;
use crate::error::Error;
use crate::{export, ledger, places};
use eduhub_paging as page;

/// The RPCs.
pub struct Transfers(pub Core);

/// A transfer that the caller may see.
///
/// # Errors
/// NOT_FOUND/NOT_FOUND, PERMISSION_DENIED/FORBIDDEN for the domain.
pub async fn visible(core: &Core, caller: &Caller, id: &str) -> Result<Transfer, Error> {
    let id = uuid("transfer_id", id)?;
    let mut conn = core.pool.acquire().await?;
    let found = store::find(&mut conn, id).await?.ok_or_else(|| Fault::new(Reason::NotFound))?;
    found.visible_to(caller)?;
    Ok(found)
}

/// A UUID of a request.
///
/// # Errors
/// INVALID_ARGUMENT/INVALID_REQUEST.
pub fn uuid(field: &str, text: &str) -> Result<Uuid, Fault> {
    Uuid::parse_str(text).map_err(|_| Fault::invalid(field, "must be a UUID"))
}

impl Transfers {
    async fn answer(&self, transfer: Transfer) -> Result<Response<pb::Transfer>, Status> {
        let mut conn = self.0.pool.acquire().await.map_err(Error::from)?;
        let counts = ledger::counts(&mut conn, transfer.transfer_id).await.map_err(Error::from)?;
        Ok(Response::new(wire::transfer(transfer, &counts)))
    }

    async fn requeue(&self, transfer: &Transfer) -> Result<Transfer, Error> {
        if transfer.mode != pb::TransferMode::Api {
            return Err(Fault::new(Reason::WrongState).meta("mode", transfer.mode.as_str_name()).into());
        }
        let (id, batch) = (transfer.transfer_id, self.0.settings.batch);
        let transfer = in_tx(&self.0.pool, start::TX, move |conn| {
            Box::pin(async move {
                store::lock(conn, id).await?;
                if ledger::requeue_dead(conn, id).await? > 0 {
                    store::mark_sending(conn, id).await?;
                    ledger::advance(conn, id, batch).await?;
                }
                Ok::<_, Error>(store::lock(conn, id).await?)
            })
        })
        .await?;
        self.0.wake.notify_waiters();
        Ok(transfer)
    }

    async fn list(
        &self,
        caller: &Caller,
        asked: pb::ListTransfersRequest,
    ) -> Result<pb::ListTransfersResponse, Error> {
        let size = page::size(asked.page_size, 50, 200)?;
        let filter = format!("transfers {}", asked.school_code);
        let after = page::after(&filter, &asked.page_token)?.map(|last| position(&last)).transpose()?;
        let place = places::place(&self.0.cache, &self.0.peers, &asked.school_code).await?;
        if !caller.scope.covers(&place) {
            return Err(Fault::new(Reason::SchoolNotFound).into());
        }
        let mut conn = self.0.pool.acquire().await?;
        let datasets = ledger::datasets(caller);
        let mut found = store::list(&mut conn, &place.school_code, &datasets, after, size + 1).await?;
        let more = i64::try_from(found.len()).unwrap_or(0) > size;
        found.truncate(usize::try_from(size).unwrap_or(0));
        let last = found.last().filter(|_| more);
        let next_page_token = last
            .map(|t| {
                page::token(&filter, &format!("{} {}", t.started_at.unix_timestamp_nanos(), t.transfer_id))
            })
            .unwrap_or_default();
        let transfers = found.into_iter().map(|transfer| wire::transfer(transfer, &[])).collect();
        Ok(pb::ListTransfersResponse { transfers, next_page_token })
    }
}

fn position(last: &str) -> Result<(OffsetDateTime, Uuid), Fault> {
    let bad = || Fault::new(Reason::BadPageToken);
    let (nanos, id) = last.split_once(' ').ok_or_else(bad)?;
    let at =
        OffsetDateTime::from_unix_timestamp_nanos(nanos.parse().map_err(|_| bad())?).map_err(|_| bad())?;
    Ok((at, Uuid::parse_str(id).map_err(|_| bad())?))
}

#[tonic::async_trait]
impl TransferService for Transfers {
    type GetExportStream = BoxStream<'static, Result<pb::ExportPart, Status>>;

    async fn start_transfer(
        &self,
        request: Request<pb::StartTransferRequest>,
    ) -> Result<Response<pb::Transfer>, Status> {
        let caller = caller(&request)?;
        let asked = request.into_inner();
        let transfer_id = uuid("transfer_id", &asked.transfer_id)?;
        let submission_id = uuid("submission_id", &asked.submission_id)?;
        let transfer = start::start(&self.0, &caller, transfer_id, submission_id).await?;
        self.answer(transfer).await
    }

    async fn get_transfer(
        &self,
        request: Request<pb::GetTransferRequest>,
    ) -> Result<Response<pb::Transfer>, Status> {
        let transfer = visible(&self.0, &caller(&request)?, &request.get_ref().transfer_id).await?;
        self.answer(transfer).await
    }

    async fn list_transfers(
        &self,
        request: Request<pb::ListTransfersRequest>,
    ) -> Result<Response<pb::ListTransfersResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.list(&caller, request.into_inner()).await?))
    }

    async fn list_ledger(
        &self,
        request: Request<pb::ListLedgerRequest>,
    ) -> Result<Response<pb::ListLedgerResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(ledger::list_ledger(&self.0, &caller, request.into_inner()).await?))
    }

    async fn requeue_dead(
        &self,
        request: Request<pb::RequeueDeadRequest>,
    ) -> Result<Response<pb::Transfer>, Status> {
        let transfer = visible(&self.0, &caller(&request)?, &request.get_ref().transfer_id).await?;
        let transfer = self.requeue(&transfer).await?;
        self.answer(transfer).await
    }

    async fn get_export(
        &self,
        request: Request<pb::GetExportRequest>,
    ) -> Result<Response<Self::GetExportStream>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(export::stream(&self.0, caller, &request.get_ref().transfer_id).await?))
    }

    async fn confirm_entered(
        &self,
        request: Request<pb::ConfirmEnteredRequest>,
    ) -> Result<Response<pb::Transfer>, Status> {
        let caller = caller(&request)?;
        let transfer = export::confirm(&self.0, &caller, request.into_inner()).await?;
        self.answer(transfer).await
    }
}
