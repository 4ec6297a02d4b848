use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use eduhub_runtime::propagation::span_from_traceparent;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::store::{self, Job, Work};
use crate::core::Core;
use crate::error::Error;
use crate::ministry::Pass;
use crate::{fill, reconcile, sending, transfer};

/// Pause after a database that did not answer.
const BROKEN: Duration = Duration::from_secs(1);

/// One worker: takes job after job until `stop`, then ends when its present one is done.
///
/// Dropping its future is a worker's death: the heartbeat dies with it, and the lease runs out.
pub async fn run(core: Core, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match step(&core).await {
            Ok(true) => {}
            Ok(false) => idle(&core, &stop, core.settings.poll).await,
            Err(error) => {
                tracing::warn!(%error, "no work could be taken");
                idle(&core, &stop, BROKEN).await;
            }
        }
    }
}

async fn idle(core: &Core, stop: &CancellationToken, time: Duration) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = core.wake.notified() => {}
        () = tokio::time::sleep(time) => {}
    }
}

/// Takes and does one job; false when there is none.
async fn step(core: &Core) -> Result<bool, Error> {
    // While the circuit is open work that calls the Ministry stays where it is and loses no attempt.
    let pass = core.ministry.breaker().pass().ok();
    let works: Vec<Work> =
        if pass.is_some() { [Work::INSIDE, Work::CALLING].concat() } else { Work::INSIDE.to_vec() };
    let Some(job) = store::take(&core.pool, &works, core.settings.lease).await? else { return Ok(false) };
    let pass = pass.filter(|_| Work::CALLING.contains(&job.work));
    // There may be more where this came from.
    core.wake.notify_one();
    tokio::select! {
        done = perform(core, &job, pass) => {
            if let Err(error) = done {
                give_back(core, &job, error).await?;
            }
        }
        error = heartbeat(core, &job) => tracing::warn!(job_id = %job.job_id, %error, "work given up"),
    }
    Ok(true)
}

async fn perform(core: &Core, job: &Job, pass: Option<Pass>) -> Result<(), Error> {
    let mut conn = core.pool.acquire().await?;
    let transfer = transfer::find(&mut conn, job.transfer_id).await?.ok_or(eduhub_pg::DbError::NoRow)?;
    drop(conn);
    let name = match job.work {
        Work::Queue => "bridge.queue",
        Work::Send => "bridge.send",
        Work::Report => "bridge.report",
        Work::Reconcile => "bridge.reconcile",
    };
    let span = span_from_traceparent(name, &transfer.traceparent);
    async {
        match job.work {
            Work::Queue => fill::fill(core, job, &transfer).await,
            Work::Send => sending::send(core, job, &transfer, pass).await,
            Work::Report => transfer::report(core, job, &transfer).await,
            Work::Reconcile => reconcile::compare_with_ministry(core, job, &transfer, pass).await,
        }
    }
    .instrument(span)
    .await
}

/// Never ends while the lease is ours.
async fn heartbeat(core: &Core, job: &Job) -> Error {
    let mut clock = tokio::time::interval(core.settings.lease / 3);
    clock.tick().await;
    loop {
        clock.tick().await;
        match store::beat(&core.pool, &job.lease(), core.settings.lease).await {
            Err(Error::LeaseLost) => return Error::LeaseLost,
            // The database may be back before the lease is over.
            Err(error) => tracing::warn!(%error, "no heartbeat"),
            Ok(()) => {}
        }
    }
}

/// After an unexpected error: later again; what no time will mend ends the work for good.
async fn give_back(core: &Core, job: &Job, error: Error) -> Result<(), Error> {
    tracing::warn!(job_id = %job.job_id, work = ?job.work, tries = job.tries, %error, "work failed");
    if matches!(error, Error::LeaseLost) {
        return Ok(());
    }
    let passing = error.is_passing();
    if !passing && job.attempts + 1 >= core.settings.max_attempts {
        match job.work {
            Work::Queue => return fill::abandon(core, job, &error).await,
            Work::Reconcile => return reconcile::abandon(core, job, &error.to_string()).await,
            // Rows and reports are never thrown away for a defect of ours: they wait for its repair.
            Work::Send | Work::Report => {}
        }
    }
    let pause = pause(core, job.tries);
    let mut conn = core.pool.acquire().await?;
    store::again(&mut conn, &job.lease(), pause, !passing).await
}

/// Pause before the next try: doubles, with jitter, up to the cap.
pub fn pause(core: &Core, tries: i32) -> Duration {
    let settings = &core.settings;
    let steps = usize::try_from(tries.clamp(0, 20)).unwrap_or(0);
    let mut pauses = ExponentialBuilder::default()
        .with_min_delay(settings.retry)
        .with_max_delay(settings.retry_cap)
        .with_max_times(steps + 1)
        .with_jitter()
        .build();
    pauses.nth(steps).unwrap_or(settings.retry_cap)
}
