//! SchoolService.
use super::{School, register::register, store};
use crate::{access::Access, admin_unit, code_list::day};
use eduhub_auth::{Caller, SchoolPlace, caller};
use eduhub_faults::{Fault, Reason};
use eduhub_paging as paging;
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::registry::v1::{
    ConvertAdminUnitsRequest, ConvertAdminUnitsResponse, GetSchoolRequest, ListAdminUnitsRequest,
    ListAdminUnitsResponse, ListRegisteredCampusesRequest, ListRegisteredCampusesResponse,
    ListSchoolsRequest, ListSchoolsResponse, RegisterSchoolsRequest, RegisterSchoolsResponse, SchoolEntry,
    school_service_server::SchoolService,
};
use tonic::{Request, Response, Status};

/// Most units that one call converts.
const MOST_UNITS: usize = 500;

/// The service.
pub struct Schools {
    /// Database.
    pub pool: PgPool,
    /// Look-up with cache.
    pub access: Access,
}

impl Schools {
    /// A registration is public; whether a school exists outside of the caller's scope is still not told.
    async fn in_scope(&self, caller: &Caller, school_code: &str) -> Result<SchoolEntry, Fault> {
        let entry = self.access.entry(school_code).await?;
        let place =
            SchoolPlace { school_code: entry.school_code.clone(), commune_code: entry.commune_code.clone() };
        if caller.scope.covers(&place) { Ok(entry) } else { Err(Fault::new(Reason::SchoolNotFound)) }
    }
}

#[tonic::async_trait]
impl SchoolService for Schools {
    async fn register_schools(
        &self,
        request: Request<RegisterSchoolsRequest>,
    ) -> Result<Response<RegisterSchoolsResponse>, Status> {
        let done = register(&self.pool, request.into_inner()).await?;
        for code in &done.changed {
            self.access.forget(code).await;
        }
        Ok(Response::new(done.response))
    }

    async fn get_school(&self, request: Request<GetSchoolRequest>) -> Result<Response<SchoolEntry>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.in_scope(&caller, &request.get_ref().school_code).await?))
    }

    async fn list_registered_campuses(
        &self,
        request: Request<ListRegisteredCampusesRequest>,
    ) -> Result<Response<ListRegisteredCampusesResponse>, Status> {
        let caller = caller(&request)?;
        let school = self.in_scope(&caller, &request.get_ref().school_code).await?;
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let campuses = store::campuses(&mut conn, &school.school_code).await.map_err(Fault::from)?;
        Ok(Response::new(ListRegisteredCampusesResponse { campuses }))
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
        let ListAdminUnitsRequest { province_code, on } = request.into_inner();
        if province_code.is_empty() {
            return Err(Fault::invalid("province_code", "required").into());
        }
        let before = day("on", &on)?.is_some_and(|on| on <= admin_unit::LAST_DAY);
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let units = match before {
            true => admin_unit::store::former(&mut conn, &province_code).await,
            false => admin_unit::store::current(&mut conn, &province_code).await,
        };
        Ok(Response::new(ListAdminUnitsResponse { units: units.map_err(Fault::from)? }))
    }

    async fn convert_admin_units(
        &self,
        request: Request<ConvertAdminUnitsRequest>,
    ) -> Result<Response<ConvertAdminUnitsResponse>, Status> {
        let codes = request.into_inner().codes;
        if codes.is_empty() || codes.len() > MOST_UNITS {
            return Err(Fault::invalid("codes", "1 to 500 codes").into());
        }
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let units = admin_unit::store::convert(&mut conn, &codes).await.map_err(Fault::from)?;
        Ok(Response::new(ConvertAdminUnitsResponse { units }))
    }
}
