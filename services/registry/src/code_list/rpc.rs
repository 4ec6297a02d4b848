//! CodeListService.
use super::{CodeBook, feed, mapping, store};
use eduhub_auth::caller;
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::Clock;
use eduhub_paging as paging;
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::registry::v1::{
    CodeList, CodeMapping, GetCodeListRequest, ImportCodeListRequest, ImportCodeListResponse,
    ListCodeListVersionsRequest, ListCodeListVersionsResponse, ListCodeMappingsRequest,
    ListCodeMappingsResponse, ListCodesRequest, ListCodesResponse, SetCodeMappingRequest,
    WatchCodeListsReply, WatchCodeListsRequest, code_list_service_server::CodeListService,
};
use eduhub_vault::Vault;
use futures::stream::BoxStream;
use sqlx::{Postgres, pool::PoolConnection};
use std::{sync::Arc, time::Duration};
use time::{Date, format_description::well_known::Iso8601};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

/// The service.
pub struct CodeLists {
    /// Database.
    pub pool: PgPool,
    /// The lists in force, and word of new versions.
    pub book: CodeBook,
    /// Keys, to read records with.
    pub vault: Arc<Vault>,
    /// Business date.
    pub today: Clock,
    /// How often a quiet stream gets a sign of life.
    pub checkpoint: Duration,
    /// Cancelled when the server stops.
    pub draining: CancellationToken,
}

impl CodeLists {
    async fn conn(&self) -> Result<PoolConnection<Postgres>, Fault> {
        Ok(self.pool.acquire().await.map_err(DbError::from)?)
    }
}

/// A day of a request; `None` for an empty text.
///
/// # Errors
/// INVALID_ARGUMENT/INVALID_REQUEST.
pub(crate) fn day(field: &str, text: &str) -> Result<Option<Date>, Fault> {
    let parse =
        |text| Date::parse(text, &Iso8601::DATE).map_err(|_| Fault::invalid(field, "a date YYYY-MM-DD"));
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

#[tonic::async_trait]
impl CodeListService for CodeLists {
    type WatchCodeListsStream = BoxStream<'static, Result<WatchCodeListsReply, Status>>;

    async fn list_codes(
        &self,
        request: Request<ListCodesRequest>,
    ) -> Result<Response<ListCodesResponse>, Status> {
        let ListCodesRequest { list, known_version } = request.into_inner();
        let mut conn = self.conn().await?;
        let version = store::version(&mut conn).await.map_err(Fault::from)?;
        if known_version == version && version != 0 {
            return Ok(Response::new(ListCodesResponse { version, ..ListCodesResponse::default() }));
        }
        let mut mappings = mapping::tables(&mut conn, "", &list, i64::MAX).await.map_err(Fault::from)?;
        // Everybody may read this: who set a table is for those who signed in.
        mappings.iter_mut().for_each(|table| table.changed_by.clear());
        let lists = if list.is_empty() { vec![] } else { vec![list] };
        let codes = store::codes(&mut conn, &lists, -1).await.map_err(Fault::from)?;
        Ok(Response::new(ListCodesResponse { codes, version, mappings }))
    }

    async fn get_code_list(
        &self,
        request: Request<GetCodeListRequest>,
    ) -> Result<Response<CodeList>, Status> {
        let GetCodeListRequest { list, version, on } = request.into_inner();
        let on = day("on", &on)?;
        let at = if version == 0 { i64::MAX } else { version };
        let mut conn = self.conn().await?;
        let version = store::version_of(&mut conn, &list, at).await.map_err(Fault::from)?;
        let version = version.ok_or_else(|| Fault::new(Reason::NotFound))?;
        let codes = store::codes_at(&mut conn, &list, version.version, on).await.map_err(Fault::from)?;
        Ok(Response::new(CodeList { version: Some(version), codes }))
    }

    async fn list_code_list_versions(
        &self,
        request: Request<ListCodeListVersionsRequest>,
    ) -> Result<Response<ListCodeListVersionsResponse>, Status> {
        let request = request.into_inner();
        let size = paging::size(request.page_size, 100, 500)?;
        let filter = format!("code-list-versions/{}", request.list);
        let after = paging::after(&filter, &request.page_token)?;
        let before = after.as_deref().and_then(|text| text.split_once(' '));
        let before = before.and_then(|(version, list)| Some((version.parse().ok()?, list)));
        let mut conn = self.conn().await?;
        let versions = store::versions(&mut conn, &request.list, before.unwrap_or((i64::MAX, "")), size);
        let versions = versions.await.map_err(Fault::from)?;
        let next_page_token = match versions.last() {
            Some(last) if versions.len() as i64 == size => {
                paging::token(&filter, &format!("{} {}", last.version, last.list))
            }
            _ => String::new(),
        };
        Ok(Response::new(ListCodeListVersionsResponse { versions, next_page_token }))
    }

    async fn import_code_list(
        &self,
        request: Request<ImportCodeListRequest>,
    ) -> Result<Response<ImportCodeListResponse>, Status> {
        let by = caller(&request)?.sub;
        Ok(Response::new(self.import(by, request.into_inner()).await?))
    }

    async fn watch_code_lists(
        &self,
        request: Request<WatchCodeListsRequest>,
    ) -> Result<Response<Self::WatchCodeListsStream>, Status> {
        let revoked = caller(&request)?.revoked();
        let stream = feed::watch(self, request.into_inner(), revoked).await?;
        Ok(Response::new(Box::pin(stream)))
    }

    async fn set_code_mapping(
        &self,
        request: Request<SetCodeMappingRequest>,
    ) -> Result<Response<CodeMapping>, Status> {
        let by = caller(&request)?.sub;
        Ok(Response::new(mapping::set(&self.pool, by, request.into_inner(), (self.today)()).await?))
    }

    async fn list_code_mappings(
        &self,
        request: Request<ListCodeMappingsRequest>,
    ) -> Result<Response<ListCodeMappingsResponse>, Status> {
        let request = request.into_inner();
        let mut conn = self.conn().await?;
        let at = if request.version == 0 { i64::MAX } else { request.version };
        let tables = mapping::tables(&mut conn, &request.vendor_code, &request.list, at);
        let mappings = tables.await.map_err(Fault::from)?;
        Ok(Response::new(ListCodeMappingsResponse { mappings }))
    }
}
