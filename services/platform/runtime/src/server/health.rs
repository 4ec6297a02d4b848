use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// Asked every 2 s: an outage shows within the time in which a load balancer asks twice.
const PERIOD: Duration = Duration::from_secs(2);
/// A check that takes longer counts as failed.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// The health services that follow readiness.
const READINESS: [&str; 2] = ["", "ready"];
/// The health service that says only that the process answers.
const LIVENESS: &str = "live";

/// Says whether what the service needs (its database) is there.
pub(super) type Check = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// Health as the world sees it: `live` from the start, `""` and `ready` only while the check says so.
#[derive(Clone)]
pub(super) struct Health {
    reporter: HealthReporter,
}

impl Health {
    /// tonic-health starts as serving; this starts as not ready.
    pub(super) async fn new() -> Self {
        let health = Self { reporter: HealthReporter::new() };
        health.reporter.set_service_status(LIVENESS, ServingStatus::Serving).await;
        health.set_ready(false).await;
        health
    }

    pub(super) fn service(&self) -> tonic_health::server::HealthService {
        tonic_health::server::HealthService::from_health_reporter(self.reporter.clone())
    }

    pub(super) async fn set_ready(&self, ready: bool) {
        let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in READINESS {
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// Follows `check` until `stop`, then says not ready for good. `first_ready` runs once.
    pub(super) async fn follow(
        self,
        check: Check,
        stop: CancellationToken,
        first_ready: impl FnOnce() + Send,
    ) {
        let mut first_ready = Some(first_ready);
        let mut last = None;
        let mut clock = tokio::time::interval(PERIOD);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let watch = async {
            loop {
                clock.tick().await;
                let ready = tokio::time::timeout(PATIENCE, check()).await.unwrap_or(false);
                self.set_ready(ready).await;
                if last.replace(ready) != Some(ready) {
                    tracing::info!(ready, "readiness changed");
                }
                if let Some(announce) = first_ready.take_if(|_| ready) {
                    announce();
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => self.set_ready(false).await,
            () = watch => {}
        }
    }
}
