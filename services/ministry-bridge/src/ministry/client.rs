use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::failure::of_status;
use super::message::{HeldPage, RefusalBody};
use super::token::{Token, Tokens};
use super::{Breaker, Failure, HeldRow, Receipt};
use crate::metrics::Counts;

/// A hint to come back later than this is not believed.
const LONGEST_HINT: Duration = Duration::from_secs(600);
/// Records per page of reading back; the Ministry allows 1,000.
const HELD_PAGE: &str = "500";

/// How the Ministry is reached.
#[derive(Clone)]
pub struct MinistryConfig {
    /// Root of its interface, such as `https://csdl.moet.gov.vn/moet`; `/oauth/token` and `/api/...` are added.
    pub url: Url,
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: SecretString,
    /// Authority to trust beside the system's, PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// Deadline of one call.
    pub timeout: Duration,
    /// Calls per second of this process.
    pub rate: NonZeroU32,
    /// Failures in a row that open the circuit.
    pub breaker_failures: u32,
    /// How long it stays open.
    pub breaker_pause: Duration,
}

/// The adapter: one per process, shared by its workers.
pub struct Ministry {
    http: Client,
    receive: Url,
    read_back: Url,
    tokens: Tokens,
    limiter: DefaultDirectRateLimiter,
    breaker: Breaker,
    counts: Counts,
}

impl Ministry {
    /// An adapter that has not called yet.
    ///
    /// # Errors
    /// The authority's certificate is not usable, or the URL can't be a base.
    pub fn new(config: MinistryConfig) -> anyhow::Result<Self> {
        eduhub_runtime::install_crypto_provider();
        let mut http = Client::builder()
            .timeout(config.timeout)
            .connect_timeout(config.timeout.min(Duration::from_secs(3)));
        if let Some(pem) = &config.ca_pem {
            http = http.add_root_certificate(reqwest::Certificate::from_pem(pem)?);
        }
        let base = config.url.as_str().trim_end_matches('/').to_owned();
        let at = |path: &str| Url::parse(&format!("{base}/{path}"));
        let breaker = Breaker::new(config.breaker_failures, config.breaker_pause);
        Ok(Self {
            http: http.build()?,
            receive: at("api/TiepNhan")?,
            read_back: at("api/DoiSoat")?,
            tokens: Tokens::new(at("oauth/token")?, config.client_id, config.client_secret),
            limiter: RateLimiter::direct(Quota::per_second(config.rate)),
            counts: Counts::beside(&breaker),
            breaker,
        })
    }

    /// The circuit breaker: ask it before taking work that calls the Ministry.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// What it said, counted.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Whether it gives a token now; past the breaker, and nothing else is sent.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn check(&self) -> Result<(), Failure> {
        self.limiter.until_ready().await;
        self.tokens.try_out(&self.http).await
    }

    /// Sends a batch. The same `key` with the same `body` has the same effect once.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn send(&self, key: &str, body: Vec<u8>) -> Result<Receipt, Failure> {
        let response = self
            .call(Method::POST, &self.receive, |request| {
                request
                    .header("idempotency-key", key)
                    .header(CONTENT_TYPE, "application/json")
                    .body(body.clone())
            })
            .await?;
        Ok(response.json().await?)
    }

    /// One page of what the Ministry holds of a school and payload type, and the token of the next page.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn held(
        &self,
        school: &str,
        kind: i32,
        page: &str,
    ) -> Result<(Vec<HeldRow>, Option<String>), Failure> {
        let kind = kind.to_string();
        let query = [("ma_truong", school), ("loai", &kind), ("kich_thuoc", HELD_PAGE), ("trang", page)];
        let query = if page.is_empty() { &query[..3] } else { &query[..] };
        let response = self.call(Method::GET, &self.read_back, |request| request.query(query)).await?;
        let page: HeldPage = response.json().await?;
        Ok((page.ban_ghi, page.trang_sau.filter(|token| !token.is_empty())))
    }

    /// A call, counted.
    async fn call(
        &self,
        method: Method,
        url: &Url,
        with: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let answered = self.ask(method, url, with).await;
        self.counts.call(answered.as_ref().err());
        answered
    }

    /// A call with a token; with a new one when the Ministry no longer takes the first.
    async fn ask(
        &self,
        method: Method,
        url: &Url,
        with: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let mut refused: Option<Token> = None;
        loop {
            self.limiter.until_ready().await;
            let token = self.tokens.get(&self.http, refused.as_ref()).await?;
            let span = span(&method, url);
            let sending = async {
                let mut request = self.http.request(method.clone(), url.clone());
                request = request.header(AUTHORIZATION, format!("Bearer {}", token.value.expose_secret()));
                if let Some(traceparent) = eduhub_runtime::propagation::current_traceparent() {
                    request = request.header("traceparent", traceparent);
                }
                let sent = with(request).send().await;
                let status = sent.as_ref().map_or(0, |response| response.status().as_u16());
                Span::current().record("http.response.status_code", status);
                sent
            };
            let response = sending.instrument(span).await?;
            if response.status() == StatusCode::UNAUTHORIZED && refused.is_none() {
                refused = Some(token);
                continue;
            }
            return checked(response).await;
        }
    }
}

/// The span of one call. It names the place and never the query: that holds a school's code.
fn span(method: &Method, url: &Url) -> Span {
    tracing::info_span!(
        "ministry.call",
        otel.name = format!("{method} {}", url.path()),
        otel.kind = "client",
        http.request.method = %method,
        server.address = url.host_str(),
        // 0: no answer came.
        http.response.status_code = Empty,
    )
}

async fn checked(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let after = retry_after(&response);
    // A gateway's page instead of the Ministry's JSON says nothing more than the status.
    let body = response.json::<RefusalBody>().await.unwrap_or_default();
    Err(of_status(status, after, body.ma_loi, body.thong_bao))
}

/// `Retry-After` in seconds; the form with a date is not used by the Ministry.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = text.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_HINT))
}
