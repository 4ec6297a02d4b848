//! `IssueService`, which every service that takes records has in its own package: [`WorkLists`] does the work, and
//! [`issue_service!`](crate::issue_service) names the types.
use super::read::{IssueView, count_open, list_issues};
use crate::to_proto;
use eduhub_auth::{Caller, Gate};
use eduhub_changelog::RecordSet;
use eduhub_faults::{Fault, Reason};
use eduhub_paging as paging;
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::common::v1::{
    CountIssuesResponse, Issue, IssueCount, ListIssuesRequest, ListIssuesResponse,
};
use std::marker::PhantomData;
use uuid::Uuid;

/// The work lists of one service's schools.
pub struct WorkLists<S> {
    /// Database.
    pub pool: PgPool,
    /// Access checks.
    pub gate: Gate,
    set: PhantomData<S>,
}

impl<S: RecordSet> WorkLists<S> {
    /// Over a service's database and schools.
    pub fn new(pool: PgPool, gate: Gate) -> Self {
        Self { pool, gate, set: PhantomData }
    }

    /// What the caller may see of a school's issues: kinds of its domains, values up to its class.
    async fn view(&self, caller: &Caller, school_code: &str) -> Result<IssueView, Fault> {
        self.gate.any(caller, school_code, &S::domains()).await?;
        let own = S::tables().iter().filter(|t| caller.has_domain(t.meta.domain()));
        Ok(IssueView { kinds: own.map(|t| t.meta.kind).collect(), max_class: caller.max_class })
    }

    /// Issues of a school in the order of opening.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND; PERMISSION_DENIED/FORBIDDEN without a domain of the service; INVALID_ARGUMENT for size and
    /// token.
    pub async fn list(
        &self,
        caller: &Caller,
        asked: &ListIssuesRequest,
    ) -> Result<ListIssuesResponse, Fault> {
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

    /// Open issues of a school by reason.
    ///
    /// # Errors
    /// As [`WorkLists::list`].
    pub async fn count(&self, caller: &Caller, school_code: &str) -> Result<CountIssuesResponse, Fault> {
        let view = self.view(caller, school_code).await?;
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        let counts = count_open(&mut conn, school_code, &view).await?;
        let counts = counts.into_iter().map(|c| IssueCount { reason: c.reason, open: c.open }).collect();
        Ok(CountIssuesResponse { counts })
    }
}

/// Implements the `IssueService` of an API package for a type whose first field is a [`WorkLists`](crate::WorkLists); methods
/// that only this package has follow behind `and`, with `caller`, `Request`, `Response` and `Status` at hand. The crate that
/// calls it has `eduhub-auth`, `eduhub-proto`, `tonic`.
#[macro_export]
macro_rules! issue_service {
    ($service:ty: $api:ident $(, and { $($more:tt)* })?) => {
        const _: () = {
            use ::eduhub_auth::caller;
            use ::eduhub_proto::common::v1::{
                CountIssuesRequest, CountIssuesResponse, ListIssuesRequest, ListIssuesResponse,
            };
            use ::tonic::{Request, Response, Status};

            #[::tonic::async_trait]
            impl $api::issue_service_server::IssueService for $service {
                async fn list_issues(
                    &self,
                    request: Request<ListIssuesRequest>,
                ) -> Result<Response<ListIssuesResponse>, Status> {
                    Ok(Response::new(self.0.list(&caller(&request)?, request.get_ref()).await?))
                }

                async fn count_issues(
                    &self,
                    request: Request<CountIssuesRequest>,
                ) -> Result<Response<CountIssuesResponse>, Status> {
                    let caller = caller(&request)?;
                    Ok(Response::new(self.0.count(&caller, &request.get_ref().school_code).await?))
                }

                $($($more)*)?
            }
        };
    };
}
