//! The worker.
use super::store::{self, Leased, MISMATCH, NOT_FOUND, VERIFIED};
use crate::records::RegistryRecords;
use eduhub_auth::AuthedChannel;
use eduhub_changelog::{Opener, RecordSet, RecordVisitor, page};
use eduhub_faults::{Fault, Problem, Reason, warning};
use eduhub_ingest::{close_issues, open_issues};
use eduhub_pg::{DbError, PgPool, in_tx};
use eduhub_proto::{
    common::v1::Kind,
    dictionary::{CLASS_SECRET, Record, record_of},
    identity::v1::{
        PersonQuery, PersonVerification, VerificationOutcome, VerifyPersonsRequest,
        verification_service_client::VerificationServiceClient,
    },
};
use eduhub_rules::identity;
use eduhub_runtime::propagation::span_from_traceparent;
use eduhub_vault::Vault;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

/// Bounds of the worker.
#[derive(Debug, Clone, Copy)]
pub struct WorkerLimits {
    /// Pause when there is nothing to do.
    pub idle: Duration,
    /// Persons per call to identity.
    pub batch: i64,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self { idle: Duration::from_millis(500), batch: 300 }
    }
}

/// Follows the log and verifies persons.
pub struct Worker {
    /// Database.
    pub pool: PgPool,
    /// Keys.
    pub vault: Arc<Vault>,
    /// Identity.
    pub identity: AuthedChannel,
    /// Notified after each push.
    pub wake: Arc<Notify>,
    /// Bounds.
    pub limits: WorkerLimits,
    /// Cancelled when the process is asked to end: a batch that still waits for its answer is given back at once, so that
    /// the next process need not sit out its lease.
    pub stop: CancellationToken,
}

const TX: Duration = Duration::from_secs(10);
/// Entries of the log followed in one transaction, which holds back the feeds while it writes.
const PAGE: i64 = 500;

impl Worker {
    /// Works until it is stopped.
    pub async fn run(self) {
        while !self.stop.is_cancelled() {
            let began = Instant::now();
            let followed = self.follow().await;
            if matches!(followed, Ok(true)) {
                // While a school loads its data, the load goes first: following it takes a quarter of one connection's time.
                self.pause(began.elapsed() * 3).await;
            }
            let verified = self.verify().await;
            let busy = match (followed, verified) {
                (Ok(a), Ok(b)) => a || b,
                (Err(fault), _) | (_, Err(fault)) => {
                    tracing::warn!(%fault, "verification is delayed");
                    self.pause(self.limits.idle).await;
                    false
                }
            };
            if !busy {
                tokio::select! {
                    () = self.wake.notified() => {}
                    () = self.pause(self.limits.idle) => {}
                }
            }
        }
    }

    async fn pause(&self, length: Duration) {
        self.stop.run_until_cancelled(tokio::time::sleep(length)).await;
    }

    /// Makes the persons of the next page of the log pending. True when there was one.
    async fn follow(&self) -> Result<bool, Fault> {
        in_tx(&self.pool, TX, |conn| {
            Box::pin(async move {
                let Some(at) = store::take_cursor(conn).await? else { return Ok(false) };
                let entries = page(conn, at, PAGE).await?;
                let Some(last) = entries.last() else { return Ok(false) };
                store::enqueue(conn, &entries).await?;
                store::move_cursor(conn, last.position).await?;
                Ok::<_, Fault>(true)
            })
        })
        .await
    }

    /// Asks for one batch of one school. True when there was one.
    async fn verify(&self) -> Result<bool, Fault> {
        let batch = self.limits.batch;
        let leased =
            in_tx(&self.pool, TX, move |conn| Box::pin(store::lease(conn, batch))).await.map_err(fault)?;
        let Some(first) = leased.first() else { return Ok(false) };
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        let parent = store::traceparent(&mut conn, &first.school_code).await?.unwrap_or_default();
        drop(conn);
        let span = span_from_traceparent("verify persons", &parent);
        let ids: Vec<Uuid> = leased.iter().map(|l| l.record_id).collect();
        let outcome = self.verify_batch(leased).instrument(span).await;
        if !matches!(outcome, Ok(Asked::Settled)) {
            let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
            store::give_back(&mut conn, &ids, outcome.is_err()).await?;
        }
        outcome.map(|_| true)
    }

    async fn verify_batch(&self, leased: Vec<Leased>) -> Result<Asked, Fault> {
        let persons = self.persons(&leased).await?;
        if persons.is_empty() {
            // All withdrawn meanwhile; the log says so soon.
            return Ok(Asked::Settled);
        }
        let mut request = tonic::Request::new(VerifyPersonsRequest { persons });
        request.set_timeout(Duration::from_secs(50));
        let mut client = VerificationServiceClient::new(self.identity.clone());
        let Some(answers) = self.stop.run_until_cancelled(client.verify_persons(request)).await else {
            return Ok(Asked::Stopped);
        };
        let answers = answers.map_err(|status| {
            Fault::new(Reason::Unavailable).detail(format!("identity answered {:?}", status.code()))
        })?;
        self.settle(leased, answers.into_inner().results).await?;
        Ok(Asked::Settled)
    }

    async fn persons(&self, leased: &[Leased]) -> Result<Vec<PersonQuery>, Fault> {
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        let mut out = Vec::with_capacity(leased.len());
        for table in store::person_tables() {
            let kind = table.meta.kind;
            let ids: Vec<Uuid> = leased.iter().filter(|l| l.kind == kind).map(|l| l.record_id).collect();
            for image in store::images(&mut conn, table, &ids).await? {
                let opener = Opener { vault: &self.vault, image: &image, kind, max_class: CLASS_SECRET };
                let record = RegistryRecords::open(table.kind, &opener).map_err(Fault::internal)?;
                let query = RegistryRecords::visit(record, Query(image.record_id)).flatten();
                out.extend(query);
            }
        }
        Ok(out)
    }

    async fn settle(&self, leased: Vec<Leased>, results: Vec<PersonVerification>) -> Result<(), Fault> {
        in_tx(&self.pool, TX, move |conn| {
            Box::pin(async move {
                let by_ref: HashMap<String, &Leased> =
                    leased.iter().map(|l| (l.record_id.to_string(), l)).collect();
                let mut states = Vec::with_capacity(results.len());
                let (mut bad, mut good) = (Vec::new(), HashMap::<i32, Vec<String>>::new());
                for r in &results {
                    let Some(who) = by_ref.get(&r.r#ref) else { continue };
                    let state = state_of(r.outcome());
                    states.push((who.record_id, state));
                    if state == VERIFIED {
                        good.entry(who.kind).or_default().push(who.record_key.clone());
                    } else if state != store::PENDING {
                        bad.push((who.record_key.clone(), issue(who, &r.fields)));
                    }
                }
                store::settle(conn, &states).await?;
                if let Some(first) = leased.first() {
                    open_issues(conn, &first.school_code, &bad).await?;
                    for (kind, keys) in good {
                        close_issues(conn, &first.school_code, kind, Reason::PopulationMismatch, &keys)
                            .await?;
                    }
                }
                Ok::<_, Fault>(())
            })
        })
        .await
    }
}

/// What became of a batch.
enum Asked {
    /// Nothing is left to do.
    Settled,
    /// The process ends before the answer.
    Stopped,
}

fn fault(error: DbError) -> Fault {
    error.into()
}

fn state_of(outcome: VerificationOutcome) -> i16 {
    match outcome {
        VerificationOutcome::Match => VERIFIED,
        VerificationOutcome::Mismatch => MISMATCH,
        VerificationOutcome::NotFound => NOT_FOUND,
        VerificationOutcome::Unspecified => store::PENDING,
    }
}

fn issue(who: &Leased, fields: &[String]) -> Problem {
    let mut problem = warning(Reason::PopulationMismatch, "personal_id");
    problem.kind = who.kind;
    let yearly = Kind::try_from(who.kind).ok().and_then(record_of).is_some_and(|r| r.yearly);
    problem.record_key = if yearly {
        who.record_key.split_once('/').map_or("", |k| k.1).to_owned()
    } else {
        who.record_key.clone()
    };
    // Names of the fields that differ, never their values.
    problem.suggestions = fields.to_vec();
    problem
}

/// Makes a query of a person's record.
struct Query(Uuid);

impl RecordVisitor for Query {
    type Out = Option<PersonQuery>;
    fn visit<R: Record>(self, record: R) -> Self::Out {
        let who = identity(&record);
        Some(PersonQuery {
            r#ref: self.0.to_string(),
            personal_id: who.personal_id?.0,
            full_name: who.full_name?,
            birth_date: who.birth_date?,
            sex: who.sex?,
        })
    }
}
