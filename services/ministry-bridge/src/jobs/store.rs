use std::time::Duration;

use eduhub_pg::{DbError, PgConnection, PgPool};
use sqlx::Row;
use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use crate::error::Error;

/// What is to be done. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Fill the ledger, or write the workbook, of a transfer.
    Queue = 1,
    /// Send a batch; the job's id is the batch's.
    Send = 2,
    /// Tell approval.
    Report = 3,
    /// Read back and compare; the job's id is the reconciliation's.
    Reconcile = 4,
}

impl Work {
    /// Work that calls the Ministry.
    pub const CALLING: [Work; 2] = [Work::Send, Work::Reconcile];
    /// Work that does not.
    pub const INSIDE: [Work; 2] = [Work::Queue, Work::Report];

    fn of(number: i16) -> Option<Self> {
        [Self::Queue, Self::Send, Self::Report, Self::Reconcile]
            .into_iter()
            .find(|work| *work as i16 == number)
    }
}

/// A leased job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Id.
    pub job_id: Uuid,
    /// What is to be done.
    pub work: Work,
    /// Of which transfer.
    pub transfer_id: Uuid,
    /// Attempts before this one that count towards giving up.
    pub attempts: i32,
    /// All attempts before this one.
    pub tries: i32,
    token: Uuid,
}

/// The right to finish a job.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    job_id: Uuid,
    token: Uuid,
}

impl Job {
    /// Its lease.
    pub fn lease(&self) -> Lease {
        Lease { job_id: self.job_id, token: self.token }
    }
}

/// Puts a job, due now. The id makes it once only: report jobs and batches have ids of their own.
///
/// # Errors
/// [`DbError`].
pub async fn put(
    conn: &mut PgConnection,
    work: Work,
    job_id: Uuid,
    transfer_id: Uuid,
) -> Result<(), DbError> {
    sqlx::query("insert into job (job_id, work, transfer_id) values ($1, $2, $3) on conflict do nothing")
        .bind(job_id)
        .bind(work as i16)
        .bind(transfer_id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes the job that is due longest, if there is one of these kinds.
pub(super) async fn take(pool: &PgPool, works: &[Work], lease: Duration) -> Result<Option<Job>, DbError> {
    let works: Vec<i16> = works.iter().map(|work| *work as i16).collect();
    let token = Uuid::now_v7();
    let row = sqlx::query(
        "update job set lease = $1, lease_until = now() + $2 where job_id = ( \
           select job_id from job where work = any($3) and next_at <= now() \
           and (lease_until is null or lease_until < now()) \
           order by next_at, job_id limit 1 for update skip locked) \
         returning job_id, work, transfer_id, attempts, tries",
    )
    .bind(token)
    .bind(interval(lease))
    .bind(&works)
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let work = Work::of(row.try_get(1)?).ok_or_else(|| DbError::Other("a job of unknown work".to_owned()))?;
    Ok(Some(Job {
        job_id: row.try_get(0)?,
        work,
        transfer_id: row.try_get(2)?,
        attempts: row.try_get(3)?,
        tries: row.try_get(4)?,
        token,
    }))
}

/// Keeps a lease alive.
pub(super) async fn beat(pool: &PgPool, lease: &Lease, time: Duration) -> Result<(), Error> {
    let done = sqlx::query("update job set lease_until = now() + $3 where job_id = $1 and lease = $2")
        .bind(lease.job_id)
        .bind(lease.token)
        .bind(interval(time))
        .execute(pool)
        .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::LeaseLost) }
}

/// Ends a job in the transaction of its effect.
///
/// # Errors
/// [`Error::LeaseLost`] when somebody else has it now: roll back.
pub async fn finish(conn: &mut PgConnection, lease: &Lease) -> Result<(), Error> {
    let done = sqlx::query("delete from job where job_id = $1 and lease = $2")
        .bind(lease.job_id)
        .bind(lease.token)
        .execute(conn)
        .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::LeaseLost) }
}

/// Gives a job back, to be tried again after `pause`.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn again(
    conn: &mut PgConnection,
    lease: &Lease,
    pause: Duration,
    counts: bool,
) -> Result<(), Error> {
    let done = sqlx::query(
        "update job set lease = null, lease_until = null, next_at = now() + $3, tries = tries + 1, \
         attempts = attempts + $4 where job_id = $1 and lease = $2",
    )
    .bind(lease.job_id)
    .bind(lease.token)
    .bind(interval(pause))
    .bind(i32::from(counts))
    .execute(conn)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::LeaseLost) }
}

fn interval(time: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: i64::try_from(time.as_micros()).unwrap_or(i64::MAX) }
}
