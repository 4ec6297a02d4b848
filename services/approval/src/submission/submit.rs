//! The story of a submission's first step: check, seal, store.

use eduhub_auth::{Caller, SchoolPlace};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::Failure;
use eduhub_proto::common::v1::{Dataset, Seal, SealRequest};
use eduhub_proto::registry::v1::SchoolEntry;
use eduhub_runtime::propagation;
use prost::Message;
use tracing::Instrument;
use uuid::Uuid;

use super::entity::{NewSubmission, School, Subject, Submission};
use super::request::{STATEMENT, Submit};
use super::review::{Actor, Review};
use super::store::Inserted;
use super::{Submissions, find, store};
use crate::access::domain_of;
use crate::database;
use crate::route::{Chosen, Wanted};

impl Submissions {
    /// Seals and stores. The seal comes first and bears the submission's id: when this breaks off between the two, the next
    /// attempt with the same id gets the same seal and goes on.
    pub(super) async fn submit(&self, caller: &Caller, request: Submit) -> Result<Submission, Failure> {
        let school = self.schools.get(&request.subject.school_code).await?;
        let dataset = Dataset::try_from(i32::from(request.subject.dataset)).unwrap_or_default();
        let (school_code, commune_code) = (school.school_code.clone(), school.commune_code.clone());
        caller.require_school(&SchoolPlace { school_code, commune_code }, domain_of(dataset))?;

        if let Some(known) = self.known(request.id, &request.subject).await? {
            return Ok(known);
        }
        let wanted = Wanted {
            dataset: request.subject.dataset,
            level: i16::try_from(school.level).unwrap_or_default(),
            directly_managed: school.directly_managed,
            commune_code: &school.commune_code,
        };
        let chosen = self.routes.choose(wanted).await?;
        let seal = self.seals.create(seal_request(&request)).await?;
        check(&seal, request.accept_held)?;
        self.store(caller, request, school, chosen, seal).await
    }

    /// The submission of this id, or a refusal when the id or the subject is taken.
    async fn known(&self, id: Uuid, subject: &Subject) -> Result<Option<Submission>, Failure> {
        let wanted = subject.clone();
        let read = database::read(&self.pool, move |conn| {
            Box::pin(async move {
                let same_id = find::one(&mut *conn, id, false).await?;
                Ok((same_id, store::open_one(conn, &wanted).await?))
            })
        });
        match read.await? {
            (Some(known), _) if known.subject == *subject => Ok(Some(known)),
            // Whose it is stays unsaid: it may be out of the caller's scope.
            (Some(_), _) => Err(Fault::new(Reason::AlreadyExists).detail("submission_id is in use").into()),
            (None, Some(open)) => Err(Fault::new(Reason::AlreadyExists).meta("submission_id", open).into()),
            (None, None) => Ok(None),
        }
    }

    async fn store(
        &self,
        caller: &Caller,
        request: Submit,
        school: SchoolEntry,
        chosen: Chosen,
        seal: Seal,
    ) -> Result<Submission, Failure> {
        let (id, subject) = (request.id, request.subject.clone());
        // The data's own trace goes on here, whatever trace the school's officer came with.
        let span = propagation::span_from_traceparent("submission", &seal.traceparent);
        let work = async {
            let traceparent = propagation::current_traceparent().unwrap_or_else(|| seal.traceparent.clone());
            let by = Actor {
                principal_id: caller.sub.clone(),
                name: caller.name.clone(),
                office: school.school_code.clone(),
                of_the_school: true,
            };
            let write = database::write(&self.pool, move |conn| {
                Box::pin(
                    async move { insert(conn, &request, &school, &chosen, &seal, &by, &traceparent).await },
                )
            });
            write.await
        };
        match work.instrument(span).await? {
            Some(stored) => Ok(stored),
            // Somebody was faster: with the same id (then that is the answer), or with another one.
            None => self.known(id, &subject).await?.ok_or_else(|| Fault::new(Reason::Conflict).into()),
        }
    }
}

fn seal_request(request: &Submit) -> SealRequest {
    SealRequest {
        seal_id: request.id.to_string(),
        school_code: request.subject.school_code.clone(),
        school_year: request.subject.school_year,
        dataset: i32::from(request.subject.dataset),
    }
}

fn check(seal: &Seal, accept_held: bool) -> Result<(), Fault> {
    if seal.counts.iter().all(|kind| kind.count == 0) {
        return Err(Fault::new(Reason::EmptyDataset));
    }
    if seal.held > 0 && !accept_held {
        return Err(Fault::new(Reason::HeldRecords).meta("held", seal.held));
    }
    Ok(())
}

/// Stores the submission with its first transition; none when its id, its subject or its cycle is taken.
async fn insert(
    conn: &mut eduhub_pg::PgConnection,
    request: &Submit,
    school: &SchoolEntry,
    chosen: &Chosen,
    seal: &Seal,
    by: &Actor,
    traceparent: &str,
) -> Result<Option<Submission>, Failure> {
    let way = chosen.way.clone();
    let submitted = Review::submit(way.offices, way.accountable_division, seal.digest.clone(), by, STATEMENT);
    let (review, first) = submitted.ok_or_else(|| Fault::new(Reason::NoRoute))?;
    let place = School {
        name: school.name.clone(),
        commune_code: school.commune_code.clone(),
        level: i16::try_from(school.level).unwrap_or_default(),
        independent_group: school.independent_group,
    };
    let new = NewSubmission {
        id: request.id,
        subject: &request.subject,
        school: &place,
        route: chosen.route,
        review: &review,
        by,
        seal: seal.encode_to_vec(),
        traceparent,
    };
    if store::insert(&mut *conn, &new).await? != Inserted::New {
        return Ok(None);
    }
    store::record(&mut *conn, request.id, &first, by).await?;
    Ok(find::one(conn, request.id, false).await?)
}
