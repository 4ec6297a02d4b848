//! A slow consumer hurts only itself.
use crate::{
    following::{Follower, Got, Mirror},
    hub::{Hub, SCHOOL, Setup},
    make::{self, Wrap},
    pushing::push_one,
};
use eduhub_auth::testing::Persona;
use eduhub_faults::{Reason, reason_of};
use eduhub_feed::FeedLimits;
use eduhub_proto::{
    common::v1::WatchRequest,
    registry::v1::{Pupil, feed_service_client::FeedServiceClient},
};
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_testkit::with_bearer;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpSocket},
    time::Instant,
};
use tonic::{Code, Status};

/// More than the transport's windows hold: some 10 MB.
async fn filled(hub: &Hub) {
    let wide = |n: u32| Pupil { birth_place: Some("Ninh Bình ".repeat(24).trim().into()), ..make::pupil(n) };
    for b in 0..20 {
        push_one(hub, SCHOOL, (0..1_000).map(|i| wide(b * 1_000 + i).wrap()).collect()).await;
    }
}

fn setup(stall: Duration) -> Setup {
    let feed = FeedLimits { stall, ..Setup::default().feed };
    Setup { feed, ..Setup::default() }
}

/// A consumer that counts the seconds for a test: gives so many checkpoints.
async fn checkpoints(stream: &mut Follower, mut count: u32) {
    while count > 0 {
        if let Got::Checkpoint(_) = stream.next().await.unwrap() {
            count -= 1;
        }
    }
}

#[tokio::test]
async fn a_consumer_that_stalls_is_ended_with_its_cursor_and_resumes_from_it() {
    let hub = Hub::with(setup(Duration::from_millis(300))).await;
    filled(&hub).await;
    let mut stream = Follower::open(&hub, &Persona::consumer(), vec![]).await;
    let mut mirror = Mirror::default();
    let mut cursor = loop {
        if let Got::Changes(changes, cursor) = stream.next().await.unwrap() {
            changes.into_iter().for_each(|c| mirror.apply(c));
            break cursor;
        }
    };
    // Takes nothing until the server has given it up; the other goes on.
    let mut other = Follower::open(&hub, &Persona::consumer(), vec![]).await;
    other.catch_up(&mut Mirror::default()).await.unwrap();
    checkpoints(&mut other, 5).await;
    let status = loop {
        match stream.next().await {
            Ok(Got::Changes(changes, next)) => {
                changes.into_iter().for_each(|c| mirror.apply(c));
                cursor = next;
            }
            Ok(_) => panic!("it caught up: not stalled"),
            Err(status) => break status,
        }
    };
    assert_eq!((status.code(), reason_of(&status)), (Code::ResourceExhausted, Some(Reason::ConsumerTooSlow)));
    let told = tonic_types::StatusExt::get_details_error_info(&status).unwrap().metadata["cursor"].clone();
    assert_eq!(told, hex::encode(&cursor));
    assert!(mirror.records.len() < 20_000);
    Follower::open(&hub, &Persona::consumer(), cursor).await.catch_up(&mut mirror).await.unwrap();
    assert_eq!((mirror.records.len(), mirror.repeated), (20_000, 0));
}

/// Passes everything to the server, and its answers at a byte a second once they are more than `free` bytes.
async fn trickle(server: String, free: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        // Little for the kernel to hold: what the server sends stays with the server.
        socket.set_recv_buffer_size(4_096).unwrap();
        let upstream = socket.connect(server.trim_start_matches("http://").parse().unwrap()).await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = upstream.into_split();
        tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
        let mut first = vec![0; free];
        let n = from_server.read(&mut first).await.unwrap();
        to_client.write_all(&first[..n]).await.unwrap();
        let mut second = tokio::time::interval(Duration::from_secs(1));
        loop {
            second.tick().await;
            let mut byte = [0];
            if from_server.read_exact(&mut byte).await.is_err() || to_client.write_all(&byte).await.is_err() {
                return;
            }
        }
    });
    address
}

/// Follows through a trickle; never gets far.
async fn crawl(hub: &Hub, cursor: &[u8]) -> tokio::task::JoinHandle<Result<(), Status>> {
    let url = trickle(hub.running.url(), 1_000).await;
    let bearer = hub.mint.bearer(&Persona::consumer()).unwrap();
    let request = WatchRequest { cursor: cursor.to_vec(), ..Default::default() };
    let mut client =
        FeedServiceClient::new(with_bearer(channel(&url, &ClientTls::default()).unwrap(), bearer));
    tokio::spawn(async move {
        let mut stream = client.watch(request).await?.into_inner();
        while stream.message().await?.is_some() {}
        Ok(())
    })
}

/// Memory is a process' own: runs a test of this binary in a process that does nothing else. True in that process.
///
/// # Panics
/// When the test fails there.
fn alone(test: &str) -> bool {
    const ALONE: &str = "EDUHUB_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let outcome = command.args(["--exact", test, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&outcome.stdout);
    assert!(
        outcome.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&outcome.stderr)
    );
    false
}

fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_a_second_costs_the_server_less_than_a_mib_and_the_others_nothing() {
    const CRAWLERS: usize = 16;
    if !alone("feed_slow::a_byte_a_second_costs_the_server_less_than_a_mib_and_the_others_nothing") {
        return;
    }
    let hub = Hub::with(setup(Duration::from_secs(60))).await;
    let begin = Follower::open(&hub, &Persona::consumer(), vec![]).await;
    let begin = { begin }.catch_up(&mut Mirror::default()).await.unwrap();
    filled(&hub).await;
    let mut other = Follower::open(&hub, &Persona::consumer(), begin.clone()).await;
    other.catch_up(&mut Mirror::default()).await.unwrap();
    let mut crawlers = vec![];
    let mut more = async |other: &mut Follower, count: usize| {
        for _ in 0..count {
            crawlers.push(crawl(&hub, &begin).await);
        }
        // They have run against their bounds by then.
        checkpoints(other, 10).await;
        resident()
    };
    // The first ones warm the pages that all share.
    let before = more(&mut other, 4).await;
    let cost = more(&mut other, CRAWLERS).await.saturating_sub(before) / CRAWLERS;
    assert!(crawlers.iter().all(|c| !c.is_finished()), "still there, still slow");
    assert!(cost < 1 << 20, "{cost} bytes for each");

    // A change is with the others at once.
    for n in 0..10 {
        let began = Instant::now();
        push_one(&hub, SCHOOL, vec![make::pupil(50_000 + n).wrap()]).await;
        let key = make::code(50_000 + n);
        loop {
            let Got::Changes(changes, _) = other.next().await.unwrap() else { continue };
            if changes.iter().any(|c| c.header.as_ref().unwrap().record_key == key) {
                break;
            }
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    crawlers.iter().for_each(|c| c.abort());
}
