//! CodeListService.
use super::store;
use eduhub_faults::Fault;
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::registry::v1::{
    ListCodesRequest, ListCodesResponse, code_list_service_server::CodeListService,
};
use tonic::{Request, Response, Status};

/// The service.
pub struct CodeLists {
    /// Database.
    pub pool: PgPool,
}

#[tonic::async_trait]
impl CodeListService for CodeLists {
    async fn list_codes(
        &self,
        request: Request<ListCodesRequest>,
    ) -> Result<Response<ListCodesResponse>, Status> {
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let version = store::version(&mut conn).await.map_err(Fault::from)?;
        let codes = store::codes(&mut conn, &request.get_ref().list).await.map_err(Fault::from)?;
        Ok(Response::new(ListCodesResponse { codes, version }))
    }
}
