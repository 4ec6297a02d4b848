use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Reader, TlsConfig};

/// How a service listens and stops.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// `LISTEN`, default `127.0.0.1:0`: a free port that only this host reaches; a deployment names its own.
    pub listen: SocketAddr,
    /// Certificates.
    pub tls: TlsConfig,
    /// `DRAIN_SECONDS`, default 20: Kubernetes kills after 30 s, and the pool and the telemetry close after it.
    pub drain: Duration,
    /// `REFLECTION`, default false: the API is published in `proto/`; a production server does not list it.
    pub reflection: bool,
    /// Limits.
    pub limits: ServerLimits,
}

/// Explicit limits of a server; tonic and hyper leave most of these open.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// `MAX_MESSAGE_BYTES`, default 4 MiB: a batch of a few hundred records is 0.3 MiB. The service applies it to
    /// each generated server by `max_decoding_message_size` and `max_encoding_message_size`.
    pub max_message_bytes: usize,
    /// `MAX_CONCURRENT_STREAMS` of one connection, default 128.
    pub max_concurrent_streams: u32,
    /// `MAX_HEADER_BYTES` of one request, default 16 KiB: a token is below 4 KiB.
    pub max_header_bytes: u32,
    /// `HANDSHAKE_SECONDS`, default 10: a TLS handshake takes a millisecond, a slow link a second.
    pub handshake: Duration,
    /// `KEEPALIVE_SECONDS`, default 30: an idle peer is asked for a sign of life, and cut 10 s later.
    pub keepalive: Duration,
    /// `CONNECTION_SECONDS`, default 300: a connection of that age takes no new calls and ends with its last stream. Callers
    /// make another, which a balancer may lead to an instance that came later.
    pub connection: Duration,
    /// `REQUEST_SECONDS`, default 30: deadline of a unary request whose caller names none, and the most that one
    /// may ask for.
    pub request: Duration,
    /// `MAX_IN_FLIGHT`, default 512 unary requests in work at once: well above what the pool serves in a second;
    /// above it the answer is RESOURCE_EXHAUSTED.
    pub max_in_flight: usize,
    /// `MAX_OPEN_STREAMS`, default 256 streaming calls at once (pushes and watches), counted apart, so that bulk
    /// never takes the place of officers' requests.
    pub max_open_streams: usize,
}

impl ServerConfig {
    /// Reads the settings. Always gives a value; mistakes are recorded in `r`.
    ///
    /// A server without TLS is only allowed on a loopback address, unless `ALLOW_PLAINTEXT=true` says that
    /// something in front of it (a mesh) encrypts: personal data never crosses a network in the clear.
    pub fn read(r: &mut Reader) -> Self {
        let tls = TlsConfig::read(r);
        let listen: SocketAddr = r.or("LISTEN", SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let allow_plaintext = r.or("ALLOW_PLAINTEXT", false);
        if !tls.serves_tls() && !listen.ip().is_loopback() && !allow_plaintext {
            let name = r.name("LISTEN");
            r.mistake(format!(
                "{name}: {listen} is reachable from outside: set TLS_CERT and TLS_KEY (or ALLOW_PLAINTEXT)"
            ));
        }
        Self {
            listen,
            tls,
            drain: r.seconds("DRAIN_SECONDS", 20, 0..=300),
            reflection: r.or("REFLECTION", false),
            limits: ServerLimits::read(r),
        }
    }

    /// Plaintext on a free loopback port with short drain: for tests.
    pub fn for_tests() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: TlsConfig::default(),
            drain: Duration::from_secs(2),
            reflection: false,
            limits: ServerLimits::default(),
        }
    }
}

impl ServerLimits {
    fn read(r: &mut Reader) -> Self {
        let d = Self::default();
        Self {
            max_message_bytes: r.or_within("MAX_MESSAGE_BYTES", d.max_message_bytes, 65_536..=67_108_864),
            max_concurrent_streams: r.or_within(
                "MAX_CONCURRENT_STREAMS",
                d.max_concurrent_streams,
                1..=10_000,
            ),
            max_header_bytes: r.or_within("MAX_HEADER_BYTES", d.max_header_bytes, 4_096..=262_144),
            handshake: r.seconds("HANDSHAKE_SECONDS", d.handshake.as_secs(), 1..=60),
            keepalive: r.seconds("KEEPALIVE_SECONDS", d.keepalive.as_secs(), 5..=600),
            connection: r.seconds("CONNECTION_SECONDS", d.connection.as_secs(), 10..=86_400),
            request: r.seconds("REQUEST_SECONDS", d.request.as_secs(), 1..=600),
            max_in_flight: r.or_within("MAX_IN_FLIGHT", d.max_in_flight, 1..=100_000),
            max_open_streams: r.or_within("MAX_OPEN_STREAMS", d.max_open_streams, 1..=100_000),
        }
    }
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            max_message_bytes: 4 << 20,
            max_concurrent_streams: 128,
            max_header_bytes: 16 << 10,
            handshake: Duration::from_secs(10),
            keepalive: Duration::from_secs(30),
            connection: Duration::from_secs(300),
            request: Duration::from_secs(30),
            max_in_flight: 512,
            max_open_streams: 256,
        }
    }
}
