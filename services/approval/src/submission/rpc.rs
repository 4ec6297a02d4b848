//! RPCs on submissions.

use eduhub_auth::SchoolPlace;
use eduhub_faults::{Fault, Reason};
use eduhub_pg::PgPool;
use eduhub_proto::approval::v1 as pb;
use eduhub_proto::approval::v1::submission_service_server::SubmissionService;
use eduhub_proto::common::v1::Dataset;
use tonic::{Request, Response, Status};

use super::act::visible;
use super::entity::Submission;
use super::page::Key;
use super::review::Actor;
use super::{find, history, request, wire};
use crate::access::{Sight, domain_of, is_bridge, is_of_school, reviewing_office};
use crate::database;
use crate::fields::Violations;
use crate::peers::{Schools, Seals};
use crate::route::RouteBook;

/// `eduhub.approval.v1.SubmissionService`.
pub struct Submissions {
    pub(super) pool: PgPool,
    pub(super) schools: Schools,
    pub(super) seals: Seals,
    pub(super) routes: RouteBook,
}

impl Submissions {
    /// Serves submissions from this pool, asking these about schools, seals and routes.
    pub fn new(pool: PgPool, schools: Schools, seals: Seals, routes: RouteBook) -> Self {
        Self { pool, schools, seals, routes }
    }
}

fn answer(submission: Submission, sight: &Sight) -> Response<pb::Submission> {
    Response::new(wire::submission(submission, sight.names))
}

#[tonic::async_trait]
impl SubmissionService for Submissions {
    async fn submit(&self, request: Request<pb::SubmitRequest>) -> Result<Response<pb::Submission>, Status> {
        let caller = eduhub_auth::caller(&request)?;
        let read = request::submit(request.get_ref())?;
        let submission = self.submit(&caller, read).await?;
        Ok(answer(submission, &Sight::of(&caller)))
    }

    async fn get_submission(
        &self,
        request: Request<pb::GetSubmissionRequest>,
    ) -> Result<Response<pb::Submission>, Status> {
        let sight = Sight::of(&eduhub_auth::caller(&request)?);
        let id = request::id(&request.get_ref().submission_id)?;
        let read = database::read(&self.pool, move |conn| {
            Box::pin(async move { Ok(find::one(conn, id, false).await?) })
        });
        let found = read.await?.filter(|s| visible(&sight, s));
        Ok(answer(found.ok_or_else(|| Fault::new(Reason::NotFound))?, &sight))
    }

    async fn list_submissions(
        &self,
        request: Request<pb::ListSubmissionsRequest>,
    ) -> Result<Response<pb::ListSubmissionsResponse>, Status> {
        let caller = eduhub_auth::caller(&request)?;
        let sight = Sight::of(&caller);
        let (filter, size) = request::list(request.get_ref(), reviewing_office(&caller))?;
        let after = Key::from_token(&request.get_ref().page_token, &filter, &sight)?;
        let (asked_sight, asked_filter) = (sight.clone(), filter.clone());
        let read = database::read(&self.pool, move |conn| {
            // One more than asked: it says whether there is a next page.
            Box::pin(async move {
                Ok(find::page(conn, &asked_sight, &asked_filter, after.as_ref(), size + 1).await?)
            })
        });
        let mut found = read.await?;
        let size = usize::try_from(size).unwrap_or_default();
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| more);
        let next_page_token = last.map(|s| Key::of(s).token(&filter, &sight)).unwrap_or_default();
        let submissions = found.into_iter().map(|s| wire::submission(s, sight.names)).collect();
        Ok(Response::new(pb::ListSubmissionsResponse { submissions, next_page_token }))
    }

    async fn decide(&self, request: Request<pb::DecideRequest>) -> Result<Response<pb::Submission>, Status> {
        let caller = eduhub_auth::caller(&request)?;
        let sight = Sight::of(&caller);
        let (id, decision) = request::decide(request.into_inner())?;
        let who = move |s: &Submission| {
            let office = reviewing_office(&caller).ok_or_else(|| Fault::new(Reason::Forbidden))?.to_owned();
            let of_the_school = is_of_school(&caller, &s.subject.school_code);
            Ok(Actor { principal_id: caller.sub, name: caller.name, office, of_the_school })
        };
        let rule = move |s: &Submission, by: &Actor| {
            request::reasons_fit(s.subject.dataset, &decision.record_reasons)?;
            Ok(s.review.decide(by, decision))
        };
        Ok(answer(self.act(id, sight.clone(), who, rule).await?, &sight))
    }

    async fn withdraw_submission(
        &self,
        request: Request<pb::WithdrawSubmissionRequest>,
    ) -> Result<Response<pb::Submission>, Status> {
        let caller = eduhub_auth::caller(&request)?;
        let sight = Sight::of(&caller);
        let (id, reason) = request::withdraw(request.get_ref())?;
        let who = move |s: &Submission| {
            if !is_of_school(&caller, &s.subject.school_code) {
                return Err(Fault::new(Reason::Forbidden));
            }
            let office = s.subject.school_code.clone();
            Ok(Actor { principal_id: caller.sub, name: caller.name, office, of_the_school: true })
        };
        let rule = move |s: &Submission, _: &Actor| Ok(s.review.withdraw(reason));
        Ok(answer(self.act(id, sight.clone(), who, rule).await?, &sight))
    }

    async fn get_history(
        &self,
        request: Request<pb::GetHistoryRequest>,
    ) -> Result<Response<pb::History>, Status> {
        let sight = Sight::of(&eduhub_auth::caller(&request)?);
        let id = request::id(&request.get_ref().submission_id)?;
        let read = database::read(&self.pool, move |conn| {
            Box::pin(
                async move { Ok((find::one(&mut *conn, id, false).await?, history::of(conn, id).await?)) },
            )
        });
        let (found, recorded) = read.await?;
        found.filter(|s| visible(&sight, s)).ok_or_else(|| Fault::new(Reason::NotFound))?;
        let transitions = recorded.into_iter().map(|t| wire::transition(t, sight.names)).collect();
        Ok(Response::new(pb::History { transitions }))
    }

    async fn mark_transferred(
        &self,
        request: Request<pb::MarkTransferredRequest>,
    ) -> Result<Response<pb::Submission>, Status> {
        let caller = eduhub_auth::caller(&request)?;
        if !is_bridge(&caller) {
            return Err(Fault::new(Reason::Forbidden).into());
        }
        let sight = Sight::of(&caller);
        let (id, note) = request::transferred(request.get_ref())?;
        let office = caller.name.clone();
        let by = Actor { principal_id: caller.sub, name: caller.name, office, of_the_school: false };
        let rule = move |s: &Submission, _: &Actor| Ok(s.review.transfer(note));
        Ok(answer(self.act(id, sight.clone(), move |_| Ok(by), rule).await?, &sight))
    }

    async fn last_approved(
        &self,
        request: Request<pb::LastApprovedRequest>,
    ) -> Result<Response<pb::LastApprovedResponse>, Status> {
        let caller = eduhub_auth::caller(&request)?;
        let asked = request.into_inner();
        let mut v = Violations::default();
        let school_code = v.school_code("school_code", &asked.school_code);
        let year = v.school_year("school_year", asked.school_year);
        let dataset = v.number::<Dataset>("dataset", asked.dataset);
        let (school_code, year, dataset) = v.finish(|| Some((school_code?, year?, dataset?)))?;
        let school = self.schools.get(&school_code).await?;
        let place = SchoolPlace { school_code: school_code.clone(), commune_code: school.commune_code };
        caller.require_school(&place, domain_of(asked.dataset()))?;
        let read = database::read(&self.pool, move |conn| {
            Box::pin(async move { Ok(find::last_approved(conn, &school_code, year, dataset).await?) })
        });
        let found = read.await?.map(wire::approved);
        Ok(Response::new(pb::LastApprovedResponse { found }))
    }
}
