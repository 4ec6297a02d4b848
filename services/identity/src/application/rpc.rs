//! ApplicationService; form 2 is answered by `batch`.
use super::form::{self, Application as Parsed};
use super::store::{self, ApplicationRow, Decided, State};
use super::wire;
use crate::access::{Sight, require_decider};
use crate::batch;
use crate::check::{Check, today};
use crate::database::transaction;
use crate::grant::{Claim, Exclusive, VendorGrant, bind, refuse_conflict};
use crate::page::Page;
use crate::schools::Schools;
use crate::vendor::{Catalogue, store as vendors};
use crate::wire::{id, optional};
use aws_lc_rs::digest::{SHA256, digest};
use eduhub_auth::{Caller, SchoolPlace, caller};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{Failure, PgConnection, PgPool};
use eduhub_proto::common::v1::DataDomain;
use eduhub_proto::identity::v1::application_service_server::ApplicationService;
use eduhub_proto::identity::v1::{
    Application, BatchApplication, DecideApplicationRequest, DecideApplicationResponse, Decision,
    GetApplicationRequest, ListApplicationsRequest, ListApplicationsResponse, SubmitApplicationRequest,
    SubmitBatchApplicationRequest,
};
use prost::Message;
use tonic::{Request, Response, Status};

/// Answers ApplicationService.
pub struct Applications {
    pool: PgPool,
    schools: Schools,
    rules: Rules,
}

/// What the Department has decided about applications.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Approve only what the school's commune has forwarded, or whose school stands under the Department itself (R-API-13).
    pub require_form2: bool,
    /// What a vendor's grant holds against others.
    pub exclusive: Exclusive,
}

impl Applications {
    /// On this database.
    pub fn new(pool: PgPool, schools: Schools, rules: Rules) -> Self {
        Self { pool, schools, rules }
    }

    /// The form, checked, and the school it is for, which the caller must reach.
    async fn parse(
        &self,
        request: SubmitApplicationRequest,
        caller: &Caller,
    ) -> Result<(store::New, Vec<DataDomain>), Failure> {
        let form = request.form.unwrap_or_default();
        let request_digest = digest(&SHA256, &form.encode_to_vec()).as_ref().to_vec();
        let catalogue = Catalogue(vendors::all(&mut *self.pool.acquire().await?).await?);
        let mut parsed = Parsed::parse(&request.request_id, form, &catalogue, today())?;
        let school = self.schools.get(&parsed.form.school_code).await?;
        let place = SchoolPlace { school_code: school.school_code, commune_code: school.commune_code };
        if !caller.scope.covers(&place) {
            return Err(Fault::new(Reason::SchoolNotFound).into());
        }
        if parsed.form.addressees.is_empty() {
            parsed.form.addressees = form::addressees(school.directly_managed, &place.commune_code);
        }
        let new = store::New {
            school_code: place.school_code,
            commune_code: place.commune_code,
            directly_managed: school.directly_managed,
            vendor_code: parsed.form.vendor_code.clone(),
            form: parsed.form.encode_to_vec(),
            request_id: parsed.request_id,
            request_digest,
            submitted_by: caller.sub.clone(),
        };
        Ok((new, parsed.domains))
    }
}

/// Adds an application, or finds the one that the same request made.
async fn submit(
    conn: &mut PgConnection,
    new: store::New,
    domains: &[DataDomain],
    exclusive: Exclusive,
) -> Result<ApplicationRow, Failure> {
    if let Some(before) = repeated(conn, &new).await? {
        return Ok(before);
    }
    let claim = Claim { school_code: &new.school_code, vendor_code: &new.vendor_code, domains, exclusive };
    refuse_conflict(conn, claim, today()).await?;
    match store::insert(conn, &new).await? {
        Some(row) => Ok(row),
        // The same request came in beside this one and was faster.
        None => Ok(repeated(conn, &new).await?.ok_or_else(|| Fault::new(Reason::Conflict))?),
    }
}

async fn repeated(conn: &mut PgConnection, new: &store::New) -> Result<Option<ApplicationRow>, Failure> {
    match store::by_request(conn, new).await? {
        Some(before) if before.request_digest != new.request_digest => {
            let fault = Fault::new(Reason::Conflict).detail("the request id was used with other content");
            Err(fault.into())
        }
        before => Ok(before),
    }
}

/// What an approval gives.
fn granted(row: &ApplicationRow, catalogue: &Catalogue) -> Result<VendorGrant, Fault> {
    // Judged again: its period may have passed while it waited.
    let Parsed { form, software, domains, period, .. } =
        Parsed::parse("", wire::form(row)?, catalogue, today())?;
    let contract = form.contract.unwrap_or_default();
    Ok(VendorGrant {
        application_id: row.id,
        vendor_code: form.vendor_code,
        software,
        contract_number: contract.number,
        secrecy_clause: contract.secrecy_clause,
        school_code: row.school_code.clone(),
        commune_code: row.commune_code.clone(),
        school_name: form.school_name,
        domains,
        period,
    })
}

async fn approve(
    conn: &mut PgConnection,
    row: &ApplicationRow,
    by: &str,
    why: &str,
    exclusive: Exclusive,
) -> Result<ApplicationRow, Failure> {
    let catalogue = Catalogue(vendors::all(conn).await?);
    let grant = bind(conn, granted(row, &catalogue)?, exclusive, by, today()).await?;
    let decided = Decided { state: State::Approved, by, reason: why, grant: Some(grant) };
    store::decide(conn, row.id, decided).await
}

#[tonic::async_trait]
impl ApplicationService for Applications {
    async fn submit_application(
        &self,
        request: Request<SubmitApplicationRequest>,
    ) -> Result<Response<Application>, Status> {
        let caller = caller(&request)?;
        let (new, domains) = self.parse(request.into_inner(), &caller).await?;
        let exclusive = self.rules.exclusive;
        let row = transaction(&self.pool, move |conn| {
            Box::pin(async move { submit(conn, new, &domains, exclusive).await })
        });
        let row = row.await?;
        Ok(Response::new(wire::application(row)?))
    }

    async fn submit_batch_application(
        &self,
        request: Request<SubmitBatchApplicationRequest>,
    ) -> Result<Response<BatchApplication>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(batch::submit(&self.pool, request.into_inner(), caller).await?))
    }

    async fn get_application(
        &self,
        request: Request<GetApplicationRequest>,
    ) -> Result<Response<Application>, Status> {
        let sight = Sight::of(&caller(&request)?);
        let id = id(&request.get_ref().application_id)?;
        let mut conn = self.pool.acquire().await.map_err(Failure::from)?;
        let row =
            store::get(&mut conn, id, &sight, false).await?.ok_or_else(|| Fault::new(Reason::NotFound))?;
        Ok(Response::new(wire::application(row)?))
    }

    async fn list_applications(
        &self,
        request: Request<ListApplicationsRequest>,
    ) -> Result<Response<ListApplicationsResponse>, Status> {
        let sight = Sight::of(&caller(&request)?);
        let request = request.into_inner();
        let filter = store::Filter {
            state: request.state,
            school: request.school_code,
            commune: request.commune_code,
        };
        let page = Page::read(request.page_size, &request.page_token, format!("applications {filter:?}"))?;
        let mut conn = self.pool.acquire().await.map_err(Failure::from)?;
        let mut rows = store::page(&mut conn, &filter, &sight, page.after, page.fetch).await?;
        let next_page_token = page.cut(&mut rows, |row| row.id);
        let applications = rows.into_iter().map(wire::application).collect::<Result<_, _>>()?;
        Ok(Response::new(ListApplicationsResponse { applications, next_page_token }))
    }

    async fn decide_application(
        &self,
        request: Request<DecideApplicationRequest>,
    ) -> Result<Response<DecideApplicationResponse>, Status> {
        let caller = caller(&request)?;
        require_decider(&caller)?;
        let request = request.into_inner();
        let (decision, why, id) = (request.decision(), request.reason, id(&request.application_id)?);
        let mut check = Check::new(today());
        check.text("reason", &why, 0..=1000);
        check.require(decision != Decision::Unspecified, "decision", Reason::Missing);
        check.finish()?;
        if decision == Decision::Refuse && why.is_empty() {
            return Err(Fault::new(Reason::ReasonRequired).into());
        }
        let Rules { require_form2, exclusive } = self.rules;
        let row = transaction(&self.pool, move |conn| {
            Box::pin(async move {
                let row = store::get(conn, id, &Sight::of(&caller), true).await?;
                let row = row.ok_or_else(|| Fault::new(Reason::NotFound))?;
                if row.state != State::Submitted as i16 {
                    return Err(Fault::new(Reason::WrongState).detail("it was decided before").into());
                }
                if decision == Decision::Refuse {
                    let decided =
                        Decided { state: State::Refused, by: &caller.sub, reason: &why, grant: None };
                    return store::decide(conn, id, decided).await;
                }
                if require_form2 && !row.directly_managed && row.batch_id.is_none() {
                    let detail = "the school's commune has not forwarded it by form 2";
                    return Err(Fault::new(Reason::WrongState).detail(detail).into());
                }
                approve(conn, &row, &caller.sub, &why, exclusive).await
            })
        });
        let row = row.await?;
        let grant_id = optional(row.grant_id);
        Ok(Response::new(DecideApplicationResponse { application: Some(wire::application(row)?), grant_id }))
    }
}
