//! A push over as many connections as it takes.
use super::attempt::{Broken, Progress, attempt};
use super::{Event, Findings, Job, Outcome, PushError, Source};
use crate::hub::Hub;
use crate::retry::{Pauses, worth_repeating};
use crate::server::Server;
use eduhub_proto::common::v1::{PushMode, PushReceipt};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonic::Status;

/// Pushes the records of one school. The same session id resumes an unfinished push.
///
/// # Errors
/// [`PushError`]. Problems of records are not errors: they are in the outcome's findings.
pub async fn push_school<H: Hub>(
    server: &Server,
    job: &Job,
    source: impl Source<H::Record>,
    mut progress: impl FnMut(Event<'_>) + Send,
) -> Result<Outcome, PushError> {
    let started = Instant::now();
    let source: Arc<dyn Source<H::Record>> = Arc::new(source);
    let mut run =
        Run { job: job.clone(), findings: Findings::new(job.keep_findings), connections: 0, cuts: 0 };
    let receipt = run.until_receipt::<H>(server, source, &mut progress).await?;
    Ok(Outcome {
        receipt,
        findings: run.findings,
        connections: run.connections,
        cuts: run.cuts,
        took: started.elapsed(),
    })
}

struct Run {
    job: Job,
    findings: Findings,
    connections: u32,
    cuts: u32,
}

impl Run {
    async fn until_receipt<H: Hub>(
        &mut self,
        server: &Server,
        source: Arc<dyn Source<H::Record>>,
        listener: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<PushReceipt, PushError> {
        let mut pauses = Pauses::new(self.job.attempts);
        let (mut answered, mut resumed_here, mut cuts_left) = (0, false, self.job.cuts.clone());
        loop {
            self.connections += 1;
            let before = answered;
            let findings = &mut self.findings;
            let mut heard = |event: Event<'_>| {
                if let Event::Batch { reply, .. } = &event {
                    findings.add(reply);
                }
                listener(event);
            };
            let mut progress =
                Progress { job: &self.job, answered, resumed_here, cuts_left, listener: &mut heard };
            // A channel of its own, so that a broken connection is not met again.
            let ended = attempt::<H>(server.channel()?, &mut progress, source.clone()).await;
            (answered, resumed_here) = (progress.answered, progress.resumed_here);
            cuts_left = progress.cuts_left;
            let broken = match ended {
                Ok(receipt) => return Ok(receipt),
                Err(broken) => broken,
            };
            if answered > before {
                pauses.reset();
            }
            let pause = self.pause(broken, &mut pauses, listener)?;
            if self.job.mode == PushMode::ValidateOnly {
                // Nothing of such a session is kept: it starts anew.
                self.job.session_id = uuid::Uuid::now_v7();
                self.findings = Findings::new(self.job.keep_findings);
                answered = 0;
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// How long to wait before the next connection, if there is to be one.
    fn pause(
        &mut self,
        broken: Broken,
        pauses: &mut Pauses,
        listener: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<Duration, PushError> {
        let status: Option<Box<Status>> = match broken {
            Broken::Cut => {
                self.cuts += 1;
                None
            }
            Broken::Status(status) if worth_repeating(&status) => Some(status),
            other => return Err(other.into_error(&self.job)),
        };
        let pause =
            if status.is_none() { Some(Duration::from_millis(50)) } else { pauses.next(status.as_deref()) };
        match (pause, status) {
            (Some(pause), status) => {
                listener(Event::Lost { status: status.as_deref(), pause });
                Ok(pause)
            }
            (None, status) => Err(PushError::GaveUp {
                session_id: self.job.session_id,
                connections: self.connections,
                last: status.unwrap_or_else(|| Box::new(Status::cancelled("cut on purpose"))),
            }),
        }
    }
}
