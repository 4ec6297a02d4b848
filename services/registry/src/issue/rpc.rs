//! IssueService.
use crate::{records::RegistryRecords, verification::store};
use eduhub_auth::{Caller, Gate, caller};
use eduhub_changelog::RecordSet;
use eduhub_faults::Fault;
use eduhub_ingest::{IssueView, count_open, list_issues, to_proto};
use eduhub_paging as paging;
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::{
    common::v1::DataDomain,
    registry::v1::{
        CountIssuesRequest, CountIssuesResponse, GetVerificationRequest, Issue, IssueCount,
        ListIssuesRequest, ListIssuesResponse, VerificationCounts, issue_service_server::IssueService,
    },
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// The service.
pub struct Issues {
    /// Database.
    pub pool: PgPool,
    /// Access checks.
    pub gate: Gate,
}

impl Issues {
    /// What the caller may see of a school's issues: kinds of its domains, values up to its class.
    async fn view(&self, caller: &Caller, school_code: &str) -> Result<IssueView, Fault> {
        self.gate.any(caller, school_code, &RegistryRecords::domains()).await?;
        let own = RegistryRecords::tables().iter().filter(|t| caller.has_domain(t.meta.domain()));
        Ok(IssueView { kinds: own.map(|t| t.meta.kind).collect(), max_class: caller.max_class })
    }
}

#[tonic::async_trait]
impl IssueService for Issues {
    async fn list_issues(
        &self,
        request: Request<ListIssuesRequest>,
    ) -> Result<Response<ListIssuesResponse>, Status> {
        let caller = caller(&request)?;
        let r = request.into_inner();
        let view = self.view(&caller, &r.school_code).await?;
        let size = paging::size(r.page_size, 200, 1_000)?;
        let filter = format!("issues/{}/{}/{:?}", r.school_code, r.include_closed, view.kinds);
        let after = paging::after(&filter, &r.page_token)?.unwrap_or_default();
        let after = Uuid::parse_str(&after).unwrap_or(Uuid::nil());
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let rows = list_issues(&mut conn, &r.school_code, &view, r.include_closed, after, size)
            .await
            .map_err(Fault::from)?;
        let next_page_token = match rows.last() {
            Some(last) if rows.len() as i64 == size => paging::token(&filter, &last.issue_id.to_string()),
            _ => String::new(),
        };
        let issues = rows
            .into_iter()
            .map(|i| Issue {
                issue_id: i.issue_id.to_string(),
                school_code: r.school_code.clone(),
                problem: Some(i.problem),
                opened_at: Some(to_proto(i.opened_at)),
                closed_at: i.closed_at.map(to_proto),
            })
            .collect();
        Ok(Response::new(ListIssuesResponse { issues, next_page_token }))
    }

    async fn count_issues(
        &self,
        request: Request<CountIssuesRequest>,
    ) -> Result<Response<CountIssuesResponse>, Status> {
        let caller = caller(&request)?;
        let school_code = request.into_inner().school_code;
        let view = self.view(&caller, &school_code).await?;
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        let counts = count_open(&mut conn, &school_code, &view).await.map_err(Fault::from)?;
        let counts = counts.into_iter().map(|c| IssueCount { reason: c.reason, open: c.open }).collect();
        Ok(Response::new(CountIssuesResponse { counts }))
    }

    async fn get_verification(
        &self,
        request: Request<GetVerificationRequest>,
    ) -> Result<Response<VerificationCounts>, Status> {
        let caller = caller(&request)?;
        let school_code = request.into_inner().school_code;
        self.gate.any(&caller, &school_code, &[DataDomain::Pupil, DataDomain::Staff]).await?;
        let mut conn = self.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        Ok(Response::new(store::counts(&mut conn, &school_code).await.map_err(Fault::from)?))
    }
}
