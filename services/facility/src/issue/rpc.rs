//! IssueService.
use crate::records::FacilityRecords;
use eduhub_auth::{Caller, Gate, caller};
use eduhub_changelog::RecordSet;
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::{IssueView, count_open, list_issues, to_proto};
use eduhub_paging as paging;
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::facility::v1::{
    CountIssuesRequest, CountIssuesResponse, Issue, IssueCount, ListIssuesRequest, ListIssuesResponse,
    issue_service_server::IssueService,
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
        self.gate.any(caller, school_code, &FacilityRecords::domains()).await?;
        let own = FacilityRecords::tables().iter().filter(|t| caller.has_domain(t.meta.domain()));
        Ok(IssueView { kinds: own.map(|t| t.meta.kind).collect(), max_class: caller.max_class })
    }

    async fn list(&self, caller: &Caller, asked: &ListIssuesRequest) -> Result<ListIssuesResponse, Fault> {
        let view = self.view(caller, &asked.school_code).await?;
        let size = paging::size(asked.page_size, 200, 1_000)?;
        let filter = format!("issues/{}/{}/{:?}", asked.school_code, asked.include_closed, view.kinds);
        let after = match paging::after(&filter, &asked.page_token)? {
            None => Uuid::nil(),
            Some(id) => Uuid::parse_str(&id).map_err(|_| Fault::new(Reason::BadPageToken))?,
        };
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        let closed = asked.include_closed;
        let rows = list_issues(&mut conn, &asked.school_code, &view, closed, after, size).await?;
        let next_page_token = match rows.last() {
            Some(last) if rows.len() as i64 == size => paging::token(&filter, &last.issue_id.to_string()),
            _ => String::new(),
        };
        let issues = rows.into_iter().map(|row| Issue {
            issue_id: row.issue_id.to_string(),
            school_code: asked.school_code.clone(),
            problem: Some(row.problem),
            opened_at: Some(to_proto(row.opened_at)),
            closed_at: row.closed_at.map(to_proto),
        });
        Ok(ListIssuesResponse { issues: issues.collect(), next_page_token })
    }

    async fn count(&self, caller: &Caller, school_code: &str) -> Result<CountIssuesResponse, Fault> {
        let view = self.view(caller, school_code).await?;
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        let counts = count_open(&mut conn, school_code, &view).await?;
        let counts = counts.into_iter().map(|c| IssueCount { reason: c.reason, open: c.open }).collect();
        Ok(CountIssuesResponse { counts })
    }
}

#[tonic::async_trait]
impl IssueService for Issues {
    async fn list_issues(
        &self,
        request: Request<ListIssuesRequest>,
    ) -> Result<Response<ListIssuesResponse>, Status> {
        Ok(Response::new(self.list(&caller(&request)?, request.get_ref()).await?))
    }

    async fn count_issues(
        &self,
        request: Request<CountIssuesRequest>,
    ) -> Result<Response<CountIssuesResponse>, Status> {
        Ok(Response::new(self.count(&caller(&request)?, &request.get_ref().school_code).await?))
    }
}
