use std::collections::HashMap;

use eduhub_pg::in_tx;
use eduhub_proto::bridge::v1::LedgerState;
use uuid::Uuid;

use super::decide::{Next, decide};
use super::{request, stale};
use crate::core::Core;
use crate::error::Error;
use crate::fill::TX;
use crate::jobs::{self, Job, Work, pause};
use crate::ledger::{self, Answer, Waiting};
use crate::metrics;
use crate::ministry::{Failure, Outcome, Pass, Receipt, Verdict};
use crate::transfer::{self, Transfer};

/// Sends the batch that the job stands for.
///
/// # Errors
/// [`Error`] of our own side; failures of the Ministry are dealt with here.
pub async fn send(core: &Core, job: &Job, transfer: &Transfer, pass: Option<Pass>) -> Result<(), Error> {
    let rows = {
        let mut conn = core.pool.acquire().await?;
        ledger::of_batch(&mut conn, job.job_id).await?
    };
    let (key, body) = request::request(core, transfer, &rows)?;
    let batch_id = job.job_id;
    in_tx(&core.pool, TX, move |conn| {
        Box::pin(async move { Ok::<_, Error>(ledger::mark_sent(conn, batch_id).await?) })
    })
    .await?;
    let answered = match core.ministry.send(&key, body).await {
        Ok(receipt) => {
            let mut answers = read(&rows, receipt, core.settings.max_attempts);
            stale::resolve(core, transfer, &rows, &mut answers).await.map(|()| answers)
        }
        Err(failure) => Err(failure),
    };
    note_health(core, pass, answered.as_ref().err());
    match answered {
        Ok(answers) => settle(core, job, answers).await,
        Err(failure) => fail(core, job, &rows, failure).await,
    }
}

fn note_health(core: &Core, pass: Option<Pass>, failure: Option<&Failure>) {
    if let Some(Failure::Throttled(time)) = failure {
        core.ministry.breaker().hold(*time);
    }
    match (pass, failure) {
        (Some(pass), Some(failure)) if failure.is_outage() => pass.failed(),
        // 429 says nothing about health either way.
        (Some(_), Some(Failure::Throttled(_))) | (None, _) => {}
        (Some(pass), _) => pass.succeeded(),
    }
}

/// One answer per row. A row that the receipt leaves out goes again in another batch, until its attempts are used up.
fn read(rows: &[Waiting], receipt: Receipt, max_attempts: i32) -> Vec<Answer> {
    let mut verdicts: HashMap<Uuid, Verdict> = receipt.ket_qua.into_iter().map(|v| (v.idbanghi, v)).collect();
    let answer = |row: &Waiting| match verdicts.remove(&row.record_id) {
        Some(verdict) => of_verdict(verdict),
        None => {
            let used_up = row.attempts + 1 >= max_attempts;
            let state = if used_up { LedgerState::Dead } else { LedgerState::Queued };
            Answer::new(row.record_id, state).saying("NO-VERDICT", "")
        }
    };
    rows.iter().map(answer).collect()
}

fn of_verdict(verdict: Verdict) -> Answer {
    let state = match verdict.trang_thai {
        Outcome::Accepted => LedgerState::Accepted,
        Outcome::Rejected => LedgerState::Rejected,
        Outcome::Stale => LedgerState::Stale,
    };
    let mut answer = Answer::new(verdict.idbanghi, state)
        .saying(verdict.ma_loi.unwrap_or_default(), verdict.thong_bao.unwrap_or_default());
    answer.ministry_code = verdict.ma_bo.unwrap_or_default();
    answer
}

async fn settle(core: &Core, job: &Job, answers: Vec<Answer>) -> Result<(), Error> {
    let (lease, id, batch) = (job.lease(), job.transfer_id, core.settings.batch);
    let tally = metrics::tally(&answers);
    in_tx(&core.pool, TX, move |conn| {
        Box::pin(async move {
            transfer::lock(conn, id).await?;
            jobs::finish(conn, &lease).await?;
            ledger::apply(conn, id, &answers).await?;
            ledger::advance(conn, id, batch).await?;
            Ok::<_, Error>(())
        })
    })
    .await?;
    core.ministry.counts().settled(&tally);
    core.wake.notify_waiters();
    Ok(())
}

async fn fail(core: &Core, job: &Job, rows: &[Waiting], failure: Failure) -> Result<(), Error> {
    let next = decide(&failure, rows.len(), job.attempts, core.settings.max_attempts);
    tracing::warn!(batch_id = %job.job_id, records = rows.len(), tries = job.tries, %failure, ?next, "batch not answered");
    let code = failure.code().to_owned();
    match next {
        Next::Again { counts, lost } => again(core, job, &failure, counts, lost).await,
        Next::Split => split(core, job, code).await,
        Next::Reject | Next::Dead => {
            let state = if next == Next::Dead { LedgerState::Dead } else { LedgerState::Rejected };
            let message = match failure {
                Failure::Refused { message, .. } => message,
                _ => String::new(),
            };
            let answers =
                rows.iter().map(|row| Answer::new(row.record_id, state).saying(&code, &message)).collect();
            settle(core, job, answers).await
        }
    }
}

async fn again(core: &Core, job: &Job, failure: &Failure, counts: bool, lost: bool) -> Result<(), Error> {
    let pause = pause(core, job.tries).max(failure.retry_after().unwrap_or_default());
    let (lease, batch_id, code) = (job.lease(), job.job_id, failure.code().to_owned());
    let state = if lost { LedgerState::Sent } else { LedgerState::Queued };
    in_tx(&core.pool, TX, move |conn| {
        Box::pin(async move {
            jobs::again(conn, &lease, pause, counts).await?;
            ledger::note(conn, batch_id, state, &code).await?;
            Ok::<_, Error>(())
        })
    })
    .await
}

async fn split(core: &Core, job: &Job, code: String) -> Result<(), Error> {
    let (lease, batch_id, id) = (job.lease(), job.job_id, job.transfer_id);
    in_tx(&core.pool, TX, move |conn| {
        Box::pin(async move {
            let halves = [Uuid::now_v7(), Uuid::now_v7()];
            jobs::finish(conn, &lease).await?;
            ledger::split(conn, batch_id, halves, &code).await?;
            for half in halves {
                jobs::put(conn, Work::Send, half, id).await?;
            }
            Ok::<_, Error>(())
        })
    })
    .await?;
    core.wake.notify_waiters();
    Ok(())
}
