use std::collections::HashMap;

use eduhub_pg::in_tx;
use eduhub_proto::bridge::v1::ReconciliationState;
use eduhub_proto::common::v1::Kind;
use uuid::Uuid;

use super::model::Findings;
use super::{compare, store};
use crate::core::Core;
use crate::error::Error;
use crate::fill::TX;
use crate::jobs::{self, Job, pause};
use crate::mapping::{ministry_type, sent_kinds};
use crate::ministry::{Failure, HeldRow, Pass};
use crate::seal::Walk;
use crate::transfer::{self, Transfer};

/// What stops a comparison.
enum Stop {
    Ministry(Failure),
    Own(Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Ministry(failure)
    }
}

impl From<eduhub_faults::Fault> for Stop {
    fn from(fault: eduhub_faults::Fault) -> Self {
        Self::Own(fault.into())
    }
}

/// Does the reconciliation that the job stands for.
///
/// # Errors
/// [`Error`] of our own side; failures of the Ministry are dealt with here.
pub async fn compare_with_ministry(
    core: &Core,
    job: &Job,
    transfer: &Transfer,
    pass: Option<Pass>,
) -> Result<(), Error> {
    match compare(core, transfer).await {
        Ok(findings) => {
            pass.into_iter().for_each(Pass::succeeded);
            finish(core, job, findings).await
        }
        Err(Stop::Own(error)) => Err(error),
        Err(Stop::Ministry(failure)) => {
            tracing::warn!(reconciliation_id = %job.job_id, %failure, "reading back failed");
            if let Failure::Throttled(time) = &failure {
                core.ministry.breaker().hold(*time);
            } else if failure.is_outage() {
                pass.into_iter().for_each(Pass::failed);
            }
            let refused = matches!(failure, Failure::Refused { .. });
            if refused || failure.counts() && job.attempts + 1 >= core.settings.max_attempts {
                return abandon(core, job, &failure.to_string()).await;
            }
            let pause = pause(core, job.tries).max(failure.retry_after().unwrap_or_default());
            let mut conn = core.pool.acquire().await?;
            jobs::again(&mut conn, &job.lease(), pause, failure.counts()).await
        }
    }
}

/// Holds what the Ministry has of one kind of one school: a few megabytes for the largest.
async fn compare(core: &Core, transfer: &Transfer) -> Result<Findings, Stop> {
    let mut findings = Findings::default();
    let mut held: HashMap<Kind, HashMap<Uuid, HeldRow>> = HashMap::new();
    for kind in sent_kinds(transfer.dataset) {
        let rows = read_back(core, transfer, *kind).await?;
        findings.counts(*kind).ministry = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        held.insert(*kind, rows);
    }
    let mut walk = Walk::new(&core.peers, transfer.seal());
    while let Some(page) = walk.next().await? {
        for outgoing in page {
            let theirs = held.get_mut(&outgoing.kind).and_then(|rows| rows.remove(&outgoing.record_id));
            compare::record(&mut findings, &outgoing, theirs.as_ref());
        }
    }
    for kind in sent_kinds(transfer.dataset) {
        let mut extra: Vec<HeldRow> = held.remove(kind).unwrap_or_default().into_values().collect();
        extra.sort_by(|a, b| a.khoa.cmp(&b.khoa));
        extra.iter().for_each(|row| compare::extra(&mut findings, *kind, row));
    }
    Ok(findings)
}

/// What the Ministry holds of a kind; of yearly kinds only this school year's.
async fn read_back(core: &Core, transfer: &Transfer, kind: Kind) -> Result<HashMap<Uuid, HeldRow>, Failure> {
    let yearly = eduhub_proto::dictionary::record_of(kind).is_some_and(|meta| meta.yearly);
    let mut rows = HashMap::new();
    let mut token = String::new();
    loop {
        let (page, next) = core.ministry.held(&transfer.school_code, ministry_type(kind), &token).await?;
        let of_year = |row: &HeldRow| !yearly || row.nam_hoc == 0 || row.nam_hoc == transfer.school_year;
        rows.extend(page.into_iter().filter(of_year).map(|row| (row.idbanghi, row)));
        match next {
            Some(next) => token = next,
            None => return Ok(rows),
        }
    }
}

async fn finish(core: &Core, job: &Job, findings: Findings) -> Result<(), Error> {
    let (lease, id, transfer_id) = (job.lease(), job.job_id, job.transfer_id);
    in_tx(&core.pool, TX, move |conn| {
        Box::pin(async move {
            transfer::lock(conn, transfer_id).await?;
            jobs::finish(conn, &lease).await?;
            store::write(conn, id, transfer_id, &findings).await?;
            Ok::<_, Error>(())
        })
    })
    .await
}

/// Gives the reconciliation up: another can be started.
///
/// # Errors
/// [`Error`].
pub async fn abandon(core: &Core, job: &Job, problem: &str) -> Result<(), Error> {
    let (lease, id, problem) = (job.lease(), job.job_id, problem.to_owned());
    in_tx(&core.pool, TX, move |conn| {
        Box::pin(async move {
            jobs::finish(conn, &lease).await?;
            store::end(conn, id, ReconciliationState::Failed, &problem).await?;
            Ok::<_, Error>(())
        })
    })
    .await
}
