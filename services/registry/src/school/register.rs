//! Registration of schools and campuses.
use super::{
    model::{Known, MOST_CAMPUSES, MOST_SCHOOLS, check_campuses, check_schools, with_levels},
    store::{self, Registered},
};
use crate::code_list::{refusal, refuse};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, PgPool, in_tx};
use eduhub_proto::registry::v1::{RegisterSchoolsRequest, RegisterSchoolsResponse};
use sqlx::PgConnection;
use std::time::Duration;

/// What a registration came to, and the schools whose entries changed.
pub(super) struct Done {
    pub response: RegisterSchoolsResponse,
    pub changed: Vec<String>,
}

/// Why the transaction of a registration ends without a change.
enum Ended {
    /// It was a trial.
    Tried(Box<RegisterSchoolsResponse>),
    Failed(Fault),
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

impl From<DbError> for Ended {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

/// Registers, or says what it would come to.
pub(super) async fn register(pool: &PgPool, request: RegisterSchoolsRequest) -> Result<Done, Fault> {
    let RegisterSchoolsRequest { schools, campuses, validate_only, .. } = request;
    let mut fault = Fault::new(Reason::InvalidRequest);
    if (schools.is_empty() && campuses.is_empty()) || schools.len() > MOST_SCHOOLS {
        fault = fault.violation("schools", "1 to 2,000 schools");
    }
    if campuses.len() > MOST_CAMPUSES {
        fault = fault.violation("campuses", "at most 5,000 campuses");
    }
    fault.into_result()?;
    let request = RegisterSchoolsRequest {
        schools: schools.into_iter().map(with_levels).collect(),
        campuses,
        validate_only,
    };
    let outcome =
        in_tx(pool, Duration::from_secs(20), move |conn| Box::pin(async move { run(conn, &request).await }))
            .await;
    match outcome {
        Ok(done) => Ok(done),
        Err(Ended::Tried(response)) => Ok(Done { response: *response, changed: vec![] }),
        Err(Ended::Failed(fault)) => Err(fault),
    }
}

async fn run(conn: &mut PgConnection, request: &RegisterSchoolsRequest) -> Result<Done, Ended> {
    let RegisterSchoolsRequest { schools, campuses, validate_only } = request;
    let known: Known = store::known(conn, schools, campuses).await?;
    let mistakes = check_schools(schools, &known);
    let campus_mistakes = check_campuses(campuses, schools, &known);
    let total = mistakes.len() + campus_mistakes.len();
    if total > 0 && !validate_only {
        let fault = refuse(refusal(total), "schools", &mistakes);
        return Err(refuse(fault, "campuses", &campus_mistakes).into());
    }
    let mut response = RegisterSchoolsResponse::default();
    let mut changed = Vec::new();
    // What has mistakes can't be written, not even to try; the counts are those of a sound file.
    if total == 0 {
        let Registered { created, updated } = store::register(conn, schools).await?;
        response.created = count(created.len());
        response.updated = count(updated.len());
        response.unchanged = count(schools.len() - created.len() - updated.len());
        changed = [created, updated].concat();
        let Registered { created, updated } = store::register_campuses(conn, campuses).await?;
        response.campuses_created = count(created.len());
        response.campuses_updated = count(updated.len());
        response.campuses_unchanged = count(campuses.len() - created.len() - updated.len());
    }
    if *validate_only {
        (response.mistakes, response.campus_mistakes) = (mistakes, campus_mistakes);
        return Err(Ended::Tried(Box::new(response)));
    }
    Ok(Done { response, changed })
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
