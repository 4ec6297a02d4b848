use eduhub_auth::{Caller, caller};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::in_tx;
use eduhub_proto::bridge::v1 as pb;
use eduhub_proto::bridge::v1::reconcile_service_server::ReconcileService;
use eduhub_proto::common::v1::Sensitivity;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::model::{Difference, Reconciliation};
use super::store;
use crate::core::Core;
use crate::error::Error;
use crate::fill::TX;
use crate::jobs::{self, Work};
use crate::transfer::{self, Transfer, timestamp, uuid};
use eduhub_paging as page;

/// The RPCs.
pub struct Reconciliations(pub Core);

impl Reconciliations {
    /// A reconciliation of a transfer that the caller may see.
    async fn visible(&self, caller: &Caller, id: &str) -> Result<(Reconciliation, Transfer), Error> {
        let id = uuid("reconciliation_id", id)?;
        let mut conn = self.0.pool.acquire().await?;
        let found = store::find(&mut conn, id).await?.ok_or_else(|| Fault::new(Reason::NotFound))?;
        drop(conn);
        let transfer = transfer::visible(&self.0, caller, &found.transfer_id.to_string()).await?;
        Ok((found, transfer))
    }

    async fn start(
        &self,
        caller: &Caller,
        asked: pb::ReconcileRequest,
    ) -> Result<(Reconciliation, Transfer), Error> {
        let id = uuid("reconciliation_id", &asked.reconciliation_id)?;
        let transfer = transfer::visible(&self.0, caller, &asked.transfer_id).await?;
        if transfer.state != pb::TransferState::Done || transfer.mode != pb::TransferMode::Api {
            let fault = Fault::new(Reason::WrongState).meta("state", transfer.state.as_str_name());
            return Err(fault.meta("mode", transfer.mode.as_str_name()).into());
        }
        let transfer_id = transfer.transfer_id;
        let found = in_tx(&self.0.pool, TX, move |conn| {
            Box::pin(async move {
                if store::insert(conn, id, transfer_id).await? {
                    jobs::put(conn, Work::Reconcile, id, transfer_id).await?;
                }
                let found = store::find(conn, id).await?.ok_or_else(|| Fault::new(Reason::NotFound))?;
                if found.transfer_id != transfer_id {
                    return Err(Error::from(
                        Fault::new(Reason::AlreadyExists).detail("the id is in use for another transfer"),
                    ));
                }
                Ok(found)
            })
        })
        .await?;
        self.0.wake.notify_one();
        Ok((found, transfer))
    }

    async fn answer(
        &self,
        found: Reconciliation,
        transfer: Transfer,
    ) -> Result<Response<pb::Reconciliation>, Status> {
        let mut conn = self.0.pool.acquire().await.map_err(Error::from)?;
        let kinds = store::kinds(&mut conn, found.reconciliation_id).await.map_err(Error::from)?;
        Ok(Response::new(pb::Reconciliation {
            reconciliation_id: found.reconciliation_id.to_string(),
            transfer_id: found.transfer_id.to_string(),
            school_code: transfer.school_code,
            state: found.state.into(),
            kinds,
            started_at: Some(timestamp(found.started_at)),
            finished_at: found.finished_at.map(timestamp),
            problem: found.problem,
        }))
    }

    async fn list(
        &self,
        caller: &Caller,
        asked: pb::ListDifferencesRequest,
    ) -> Result<pb::ListDifferencesResponse, Error> {
        let size = page::size(asked.page_size, 200, 1_000)?;
        let (found, _) = self.visible(caller, &asked.reconciliation_id).await?;
        let id: Uuid = found.reconciliation_id;
        let filter = format!("differences {id}");
        let after = page::after_number(&filter, &asked.page_token)?;
        let mut conn = self.0.pool.acquire().await?;
        let mut rows = store::differences(&mut conn, id, after, size + 1).await?;
        let more = i64::try_from(rows.len()).unwrap_or(0) > size;
        rows.truncate(usize::try_from(size).unwrap_or(0));
        let last = rows.last().filter(|_| more);
        let next_page_token = last.map(|(seq, _)| page::token(&filter, &seq.to_string())).unwrap_or_default();
        let differences = rows.into_iter().map(|(_, row)| shown(row, caller.max_class)).collect();
        Ok(pb::ListDifferencesResponse { differences, next_page_token })
    }
}

/// A difference as this caller may see it.
fn shown(row: Difference, max_class: i32) -> pb::Difference {
    let masked = row.class as i32 > max_class || row.class == Sensitivity::Secret;
    let value = |value: String| if masked { String::new() } else { value };
    pb::Difference {
        r#type: row.kind_of.into(),
        kind: row.kind.into(),
        record_id: row.record_id.to_string(),
        record_key: row.record_key,
        field: row.field,
        label: row.label,
        hub_value: value(row.hub_value),
        ministry_value: value(row.ministry_value),
        class: row.class.into(),
        masked,
    }
}

#[tonic::async_trait]
impl ReconcileService for Reconciliations {
    async fn reconcile(
        &self,
        request: Request<pb::ReconcileRequest>,
    ) -> Result<Response<pb::Reconciliation>, Status> {
        let caller = caller(&request)?;
        let (found, transfer) = self.start(&caller, request.into_inner()).await?;
        self.answer(found, transfer).await
    }

    async fn get_reconciliation(
        &self,
        request: Request<pb::GetReconciliationRequest>,
    ) -> Result<Response<pb::Reconciliation>, Status> {
        let caller = caller(&request)?;
        let (found, transfer) = self.visible(&caller, &request.get_ref().reconciliation_id).await?;
        self.answer(found, transfer).await
    }

    async fn list_differences(
        &self,
        request: Request<pb::ListDifferencesRequest>,
    ) -> Result<Response<pb::ListDifferencesResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.list(&caller, request.into_inner()).await?))
    }
}
