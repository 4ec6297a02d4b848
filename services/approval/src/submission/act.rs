//! What happens to a submission that is there: lock, decide, record, all in one transaction.

use eduhub_faults::{Fault, Reason};
use eduhub_pg::{Failure, PgConnection};
use eduhub_runtime::propagation;
use tracing::Instrument;
use uuid::Uuid;

use super::entity::Submission;
use super::review::{Actor, Outcome, Refusal, Transition};
use super::{Submissions, find, store};
use crate::access::Sight;
use crate::database;

impl Submissions {
    /// Applies `rule` to the submission, if `sight` sees it, on behalf of whom `who` names. Two at once wait for each other
    /// at the row lock, and the second one meets the state that the first one left.
    pub(super) async fn act<W, R>(
        &self,
        id: Uuid,
        sight: Sight,
        who: W,
        rule: R,
    ) -> Result<Submission, Failure>
    where
        W: FnOnce(&Submission) -> Result<Actor, Fault> + Send + 'static,
        R: FnOnce(&Submission, &Actor) -> Result<Result<Outcome, Refusal>, Fault> + Send + 'static,
    {
        let write = database::write(&self.pool, move |conn| {
            Box::pin(async move {
                let found = find::one(&mut *conn, id, true).await?;
                let found =
                    found.filter(|s| visible(&sight, s)).ok_or_else(|| Fault::new(Reason::NotFound))?;
                let by = who(&found)?;
                match rule(&found, &by)?.map_err(refused)? {
                    Outcome::Unchanged => Ok(found),
                    Outcome::Changed(transition) => {
                        let span =
                            propagation::span_from_traceparent("submission.transition", &found.traceparent);
                        advance(conn, found, &transition, &by).instrument(span).await
                    }
                }
            })
        });
        write.await
    }
}

/// Whether the submission exists for this caller.
pub(super) fn visible(sight: &Sight, s: &Submission) -> bool {
    sight.sees(&s.subject.school_code, &s.school.commune_code, s.subject.dataset)
}

async fn advance(
    conn: &mut PgConnection,
    found: Submission,
    transition: &Transition,
    by: &Actor,
) -> Result<Submission, Failure> {
    let id = found.id;
    let after = found.review.after(transition, by);
    if !store::advance(&mut *conn, id, transition, after.current_office()).await? {
        // The row is locked, so nobody can have been there; the version says so as well.
        return Err(Fault::new(Reason::Conflict).into());
    }
    store::record(&mut *conn, id, transition, by).await?;
    tracing::info!(submission = %id, event = ?transition.event, to = %transition.to, "submission changed");
    let stored = find::one(conn, id, false).await?;
    stored.ok_or_else(|| Fault::internal("a submission that was just changed is not there").into())
}

fn refused(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::WrongState { state, current_step } => {
            Fault::new(Reason::WrongState).meta("state", state).meta("current_step", current_step)
        }
        Refusal::DigestMismatch => Fault::new(Reason::DigestMismatch),
        Refusal::ReasonRequired => Fault::new(Reason::ReasonRequired),
        Refusal::OtherOffice => Fault::new(Reason::Forbidden).detail("the step is another office's"),
        Refusal::OwnSchool => {
            Fault::new(Reason::Forbidden).detail("nobody decides on the data of their own school")
        }
    }
}
