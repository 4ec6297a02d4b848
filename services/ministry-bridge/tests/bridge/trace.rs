use std::time::Duration;

use eduhub_ministry_bridge::jobs;
use eduhub_proto::bridge::v1::TransferState;
use eduhub_proto::common::v1::Dataset;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::layer::SubscriberExt;

use crate::data::staff;
use crate::lab::{Lab, TRACEPARENT, quick};
use crate::stub::Stub;

#[tokio::test]
async fn the_ministry_is_called_in_the_trace_of_the_push() {
    let stub = Stub::start().await;
    let mut lab = Lab::at(quick(), &stub.url, Duration::from_secs(2)).await;
    lab.workers.shutdown().await;
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    // For the whole process: with a subscriber of one thread, tests that run beside this one would settle for it which
    // spans anybody wants.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    lab.workers.spawn(jobs::run(lab.core.clone(), CancellationToken::new()));
    let started = lab.start_transfer(lab.approved(Dataset::Staff, (0..3).map(staff).collect())).await;
    lab.in_state(&started.transfer_id, TransferState::Done).await;
    let traces = stub.seen.lock().unwrap().traces.clone();
    let of_push = |traceparent: &str| traceparent.split('-').nth(1).unwrap().to_owned();
    assert_eq!(traces.len(), 1);
    assert_eq!(of_push(&traces[0]), of_push(TRACEPARENT), "one trace from the push to the Ministry");
    assert_ne!(traces[0], TRACEPARENT, "a span of its own");
}
