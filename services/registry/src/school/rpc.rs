//! SchoolService.
use super::{School, check, store};
use crate::access::Access;
use eduhub_auth::{SchoolPlace, caller};
use eduhub_faults::{Fault, Reason};
use eduhub_paging as paging;
use eduhub_pg::{DbError, PgPool, in_tx};
use eduhub_proto::registry::v1::{
    GetSchoolRequest, ListAdminUnitsRequest, ListAdminUnitsResponse, ListSchoolsRequest, ListSchoolsResponse,
    RegisterSchoolsRequest, RegisterSchoolsResponse, SchoolEntry, school_service_server::SchoolService,
};
use std::time::Duration;
use tonic::{Request, Response, Status};

/// The service.
pub struct Schools {
    /// Database.
    pub pool: PgPool,
    /// Look-up with cache.
    pub access: Access,
}

#[tonic::async_trait]
impl SchoolService for Schools {
    async fn register_schools(
        &self,
        request: Request<RegisterSchoolsRequest>,
    ) -> Result<Response<RegisterSchoolsResponse>, Status> {
        let schools = request.into_inner().schools;
        check(&schools)?;
        let total = schools.len();
        let (created, updated) = in_tx(&self.pool, Duration::from_secs(20), move |conn| {
            Box::pin(async move {
                let unknown = store::unknown_places(conn, &schools).await?;
                if !unknown.is_empty() {
                    let mut fault = Fault::new(Reason::InvalidRequest);
                    for (i, s) in
                        schools.iter().enumerate().filter(|(_, s)| unknown.contains(&s.commune_code))
                    {
                        fault = fault.violation(
                            &format!("schools[{i}].commune_code"),
                            &format!("{} is no commune of province {}", s.commune_code, s.province_code),
                        );
                    }
                    return Err(fault);
                }
                Ok::<_, Fault>(store::register(conn, &schools).await?)
            })
        })
        .await?;
        for code in created.iter().chain(&updated) {
            self.access.forget(code).await;
        }
        let unchanged = total - created.len() - updated.len();
        Ok(Response::new(RegisterSchoolsResponse {
            created: created.len() as u32,
            updated: updated.len() as u32,
            unchanged: unchanged as u32,
        }))
    }

    async fn get_school(&self, request: Request<GetSchoolRequest>) -> Result<Response<SchoolEntry>, Status> {
        let caller = caller(&request)?;
        let entry = self.access.entry(&request.get_ref().school_code).await?;
        let place =
            SchoolPlace { school_code: entry.school_code.clone(), commune_code: entry.commune_code.clone() };
        // A registration is public; whether a school exists outside of the caller's scope is still not told.
        if !caller.scope.covers(&place) {
            return Err(Fault::new(Reason::SchoolNotFound).into());
        }
        Ok(Response::new(entry))
    }

    async fn list_schools(
        &self,
        request: Request<ListSchoolsRequest>,
    ) -> Result<Response<ListSchoolsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let size = paging::size(request.page_size, 500, 2_000)?;
        let filter_text = format!("schools/{}", request.commune_code);
        let after = paging::after(&filter_text, &request.page_token)?.unwrap_or_default();
        let communes: Vec<String> = caller.scope.communes.iter().cloned().collect();
        let own: Vec<String> = caller.scope.schools.iter().cloned().collect();
        let filter = store::Filter {
            province: caller.scope.province,
            communes: &communes,
            schools: &own,
            commune: &request.commune_code,
        };
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let schools = store::list(&mut conn, &filter, &after, size).await.map_err(Fault::from)?;
        let next_page_token = match schools.last() {
            Some(last) if schools.len() as i64 == size => paging::token(&filter_text, &last.0.school_code),
            _ => String::new(),
        };
        let schools = schools.into_iter().map(School::into_entry).collect();
        Ok(Response::new(ListSchoolsResponse { schools, next_page_token }))
    }

    async fn list_admin_units(
        &self,
        request: Request<ListAdminUnitsRequest>,
    ) -> Result<Response<ListAdminUnitsResponse>, Status> {
        let province = request.into_inner().province_code;
        if province.is_empty() {
            return Err(Fault::invalid("province_code", "required").into());
        }
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let units = store::admin_units(&mut conn, &province).await.map_err(Fault::from)?;
        Ok(Response::new(ListAdminUnitsResponse { units }))
    }
}
