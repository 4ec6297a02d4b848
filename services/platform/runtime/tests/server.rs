//! A real server on a loopback port: health, deadlines, limits, drain, TLS, reflection.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod echo;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use echo::{Client, start};
use eduhub_runtime::client::{ClientTls, channel, endpoint};
use eduhub_runtime::config::{ServerConfig, TlsConfig};
use eduhub_runtime::probe::{Probe, ProbeError, healthcheck};
use eduhub_runtime::server::Drain;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

fn plain() -> ClientTls {
    ClientTls::default()
}

async fn until_ready(url: &str, tls: &ClientTls) {
    let until = Instant::now() + Duration::from_secs(5);
    while healthcheck(url, tls, Probe::Ready).await.is_err() {
        assert!(Instant::now() < until, "never ready");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn readiness_follows_the_check_and_liveness_does_not() {
    let up = Arc::new(AtomicBool::new(false));
    let asked = up.clone();
    let config = ServerConfig::for_tests();
    let running =
        start(config, |s| s.ready_when(move || std::future::ready(asked.load(Ordering::SeqCst)))).await;
    healthcheck(&running.url, &plain(), Probe::Live).await.unwrap();
    let not = healthcheck(&running.url, &plain(), Probe::Ready).await;
    assert!(matches!(not, Err(ProbeError::Not("ready"))), "{not:?}");
    let mut client = HealthClient::new(channel(&running.url, &plain()).unwrap());
    let mut watch = client.watch(HealthCheckRequest { service: String::new() }).await.unwrap().into_inner();
    let mut next = async || watch.message().await.unwrap().unwrap().status();
    assert_eq!(next().await, ServingStatus::NotServing);
    up.store(true, Ordering::SeqCst);
    assert_eq!(next().await, ServingStatus::Serving);
    up.store(false, Ordering::SeqCst);
    assert_eq!(next().await, ServingStatus::NotServing);
    healthcheck(&running.url, &plain(), Probe::Live).await.unwrap();
}

#[tokio::test]
async fn a_check_that_hangs_is_a_failed_check() {
    let running = start(ServerConfig::for_tests(), |s| s.ready_when(std::future::pending)).await;
    tokio::time::sleep(Duration::from_millis(1_700)).await;
    assert!(matches!(healthcheck(&running.url, &plain(), Probe::Ready).await, Err(ProbeError::Not(_))));
    let nobody = healthcheck("http://127.0.0.1:1", &plain(), Probe::Live).await;
    assert!(matches!(nobody, Err(ProbeError::NoAnswer(_))));
}

#[tokio::test]
async fn the_servers_limit_ends_unary_calls_and_leaves_streams() {
    let mut config = ServerConfig::for_tests();
    config.limits.request = Duration::from_millis(200);
    let running = start(config, |s| s).await;
    // A bare channel: no deadline of the caller's.
    let mut client = Client::new(endpoint(&running.url, &plain()).unwrap().connect_lazy());
    assert_eq!(client.wait(5_000).await.unwrap_err().code(), Code::DeadlineExceeded);
    assert!(client.wait(1).await.unwrap() <= 200);
    let mut numbers = client.count(40).await.unwrap();
    let mut seen = 0;
    while numbers.message().await.unwrap().is_some() {
        seen += 1;
    }
    assert_eq!(seen, 40, "a stream of 400 ms was cut by the limit of unary calls");
}

#[tokio::test]
async fn the_callers_deadline_reaches_the_handler_and_its_calls() {
    let running = start(ServerConfig::for_tests(), |s| s).await;
    let mut client = Client::new(channel(&running.url, &plain()).unwrap());
    let inside =
        eduhub_runtime::deadline::within(Duration::from_secs(3), client.wait(1)).await.unwrap().unwrap();
    assert!(inside > 2_000 && inside <= 3_000, "{inside} ms");
}

/// A caller that sends `grpc-timeout` and does not enforce it itself, unlike tonic's.
async fn raw_status(url: &str, timeout: &str) -> (String, Duration) {
    let stream = tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut send, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let message = prost::Message::encode_to_vec(&echo::Amount { value: 5_000 });
    let mut body = vec![0];
    body.extend_from_slice(&(message.len() as u32).to_be_bytes());
    body.extend_from_slice(&message);
    let request = http::Request::post(format!("{url}/test.Echo/Wait"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", timeout)
        .body(http_body_util::Full::new(tonic::codegen::Bytes::from(body)))
        .unwrap();
    let began = Instant::now();
    let response = send.send_request(request).await.unwrap();
    (response.headers()["grpc-status"].to_str().unwrap().to_owned(), began.elapsed())
}

#[tokio::test]
async fn a_passed_deadline_is_deadline_exceeded_and_not_cancelled() {
    let running = start(ServerConfig::for_tests(), |s| s).await;
    for timeout in ["5m", "20m", "100m", "300000u"] {
        let (status, took) = raw_status(&running.url, timeout).await;
        assert_eq!(status, "4", "grpc-timeout {timeout}");
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
    // tonic's own timer for the same header starts microseconds earlier: it may win none of many.
    let calls = (0..300).map(|_| raw_status(&running.url, "30m"));
    let statuses = futures::future::join_all(calls).await;
    assert!(statuses.iter().all(|(status, _)| status == "4"), "{statuses:?}");
}

#[tokio::test]
async fn above_the_limit_calls_are_shed_with_a_hint_and_streams_have_their_own_places() {
    let mut config = ServerConfig::for_tests();
    (config.limits.max_in_flight, config.limits.max_open_streams) = (1, 1);
    let running = start(config, |s| s).await;
    until_ready(&running.url, &plain()).await;
    let shared = channel(&running.url, &plain()).unwrap();
    let mut stream = Client::new(shared.clone()).count(1_000_000).await.unwrap();
    stream.message().await.unwrap().unwrap();
    let second = Client::new(shared.clone()).count(1).await.unwrap_err();
    assert_eq!(second.code(), Code::ResourceExhausted);
    assert!(second.get_details_retry_info().unwrap().retry_delay.is_some());
    // The stream takes no place of a unary call.
    let mut long = Client::new(shared.clone());
    let long = tokio::spawn(async move { long.wait(1_000).await });
    tokio::time::sleep(Duration::from_millis(200)).await; // the long call is on its way
    let mut client = Client::new(shared.clone());
    assert_eq!(client.wait(0).await.unwrap_err().code(), Code::ResourceExhausted);
    healthcheck(&running.url, &plain(), Probe::Ready).await.unwrap();
    long.await.unwrap().unwrap();
    client.wait(0).await.unwrap();
    drop(stream);
    let until = Instant::now() + Duration::from_secs(2);
    while Client::new(shared.clone()).count(1).await.is_err() {
        assert!(Instant::now() < until, "the dropped stream kept its place");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_drain_answers_what_is_open_and_ends_streams() {
    let running = start(ServerConfig::for_tests(), |s| s).await;
    until_ready(&running.url, &plain()).await;
    let mut watcher = HealthClient::new(channel(&running.url, &plain()).unwrap());
    let mut health =
        watcher.watch(HealthCheckRequest { service: "ready".into() }).await.unwrap().into_inner();
    assert_eq!(health.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let mut client = Client::new(channel(&running.url, &plain()).unwrap());
    let mut stream = client.count(1_000_000).await.unwrap();
    stream.message().await.unwrap().unwrap();
    let mut slow = Client::new(channel(&running.url, &plain()).unwrap());
    let slow = tokio::spawn(async move { slow.wait(500).await });
    tokio::time::sleep(Duration::from_millis(100)).await; // the slow call is on its way
    running.stop.cancel();
    assert_eq!(health.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    drop(health);
    slow.await.unwrap().unwrap();
    while stream.message().await.unwrap().is_some() {}
    drop((stream, client, watcher));
    assert_eq!(running.ended.await.unwrap().unwrap(), Drain::Clean);
    assert!(healthcheck(&running.url, &plain(), Probe::Live).await.is_err());
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline_even_when_a_call_does_not() {
    let mut config = ServerConfig::for_tests();
    config.drain = Duration::from_millis(300);
    let running = start(config, |s| s).await;
    let mut client = Client::new(channel(&running.url, &plain()).unwrap());
    let stuck = tokio::spawn(async move { client.wait(20_000).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    running.stop.cancel();
    assert_eq!(running.ended.await.unwrap().unwrap(), Drain::Forced);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    stuck.abort();
}

struct Authority {
    ca_pem: String,
    tls: TlsConfig,
}

fn authority() -> Authority {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca = rcgen::CertificateParams::new(vec![]).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_cert = ca.self_signed(&ca_key).unwrap();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let cert = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let tls = TlsConfig {
        cert_pem: Some(cert.pem().into_bytes()),
        key_pem: Some(key.serialize_pem().into()),
        ..TlsConfig::default()
    };
    Authority { ca_pem: ca_cert.pem(), tls }
}

#[tokio::test]
async fn tls_is_checked_on_both_sides_and_a_silent_handshake_is_cut() {
    let ours = authority();
    let mut config = ServerConfig::for_tests();
    config.tls = ours.tls;
    config.limits.handshake = Duration::from_secs(1);
    let running = start(config, |s| s).await;
    let trusted = ClientTls::trusting(ours.ca_pem);
    until_ready(&running.url, &trusted).await;
    Client::new(channel(&running.url, &trusted).unwrap()).wait(0).await.unwrap();

    let stranger = ClientTls::trusting(authority().ca_pem);
    assert!(healthcheck(&running.url, &stranger, Probe::Live).await.is_err());
    let plaintext = running.url.replace("https", "http");
    assert!(healthcheck(&plaintext, &plain(), Probe::Live).await.is_err());

    let port = running.url.rsplit_once(':').unwrap().1;
    let mut silent = tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
    let mut byte = [0; 1];
    let cut =
        tokio::time::timeout(Duration::from_secs(3), tokio::io::AsyncReadExt::read(&mut silent, &mut byte));
    assert!(
        matches!(cut.await, Ok(Ok(0) | Err(_))),
        "a silent connection was kept beyond the handshake limit"
    );
}

#[tokio::test]
async fn a_header_beyond_the_limit_is_refused() {
    let running = start(ServerConfig::for_tests(), |s| s).await;
    until_ready(&running.url, &plain()).await;
    let mut client = HealthClient::new(channel(&running.url, &plain()).unwrap());
    let ask = |size: usize| {
        let mut request = tonic::Request::new(HealthCheckRequest { service: "live".into() });
        request.metadata_mut().insert("x-padding", "a".repeat(size).parse().unwrap());
        request
    };
    client.check(ask(8 << 10)).await.unwrap();
    assert!(client.check(ask(64 << 10)).await.is_err());
}

#[tokio::test]
async fn reflection_answers_only_when_it_is_enabled() {
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

    let ask = async |enabled: bool| {
        let mut config = ServerConfig::for_tests();
        config.reflection = enabled;
        let running = start(config, |s| s).await;
        let mut client = ServerReflectionClient::new(channel(&running.url, &plain()).unwrap());
        let list = MessageRequest::ListServices(String::new());
        let request = ServerReflectionRequest { host: String::new(), message_request: Some(list) };
        let mut answers = client.server_reflection_info(futures::stream::iter([request])).await?.into_inner();
        let answer = answers.message().await?.unwrap();
        running.stop.cancel();
        Ok::<_, tonic::Status>(format!("{answer:?}"))
    };
    assert_eq!(ask(false).await.unwrap_err().code(), Code::Unimplemented);
    assert!(ask(true).await.unwrap().contains("test.Echo"));
}
