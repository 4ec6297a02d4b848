//! RecordService.
use crate::{access::Access, records::RegistryRecords};
use eduhub_auth::caller;
use eduhub_faults::Fault;
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::{
    common::v1::ChangeHeader,
    registry::v1::{
        Change, GetRecordRequest, ListRecordsRequest, Record, RecordPage, record_service_server::RecordService,
    },
};
use eduhub_seals::{Reader, RecordList};
use eduhub_vault::Vault;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The service.
pub struct Records {
    /// Database.
    pub pool: PgPool,
    /// Keys.
    pub vault: Arc<Vault>,
    /// Access checks.
    pub access: Access,
}

/// A change as it goes over the wire.
pub(crate) fn change((header, record): (ChangeHeader, Option<Record>)) -> Change {
    Change { header: Some(header), record }
}

/// A page as it goes over the wire.
pub(crate) fn page(list: RecordList<Record>) -> RecordPage {
    RecordPage {
        records: list.records.into_iter().map(change).collect(),
        next_page_token: list.next_page_token,
    }
}

#[tonic::async_trait]
impl RecordService for Records {
    async fn get_record(&self, request: Request<GetRecordRequest>) -> Result<Response<Change>, Status> {
        let caller = caller(&request)?;
        let r = request.into_inner();
        self.access.kind(&caller, &r.school_code, r.kind).await?;
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let reader = Reader { vault: &self.vault, max_class: caller.max_class };
        let found =
            eduhub_seals::get::<RegistryRecords>(&mut conn, &reader, &r.school_code, r.kind, &r.record_key).await?;
        Ok(Response::new(change(found)))
    }

    async fn list_records(&self, request: Request<ListRecordsRequest>) -> Result<Response<RecordPage>, Status> {
        let caller = caller(&request)?;
        let r = request.into_inner();
        self.access.kind(&caller, &r.school_code, r.kind).await?;
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let reader = Reader { vault: &self.vault, max_class: caller.max_class };
        let list = eduhub_seals::list::<RegistryRecords>(
            &mut conn,
            &reader,
            &r.school_code,
            r.kind,
            r.page_size,
            &r.page_token,
        )
        .await?;
        Ok(Response::new(page(list)))
    }

    async fn get_history(&self, request: Request<GetRecordRequest>) -> Result<Response<RecordPage>, Status> {
        let caller = caller(&request)?;
        let r = request.into_inner();
        self.access.kind(&caller, &r.school_code, r.kind).await?;
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let reader = Reader { vault: &self.vault, max_class: caller.max_class };
        let list =
            eduhub_seals::history::<RegistryRecords>(&mut conn, &reader, &r.school_code, r.kind, &r.record_key)
                .await?;
        Ok(Response::new(page(list)))
    }
}
