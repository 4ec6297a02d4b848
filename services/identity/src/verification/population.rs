//! The national population database over HTTP.
use super::breaker::Breaker;
use super::model::field_of;
use backon::{ExponentialBuilder, Retryable};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::identity::v1::{PersonQuery, PersonVerification, VerificationOutcome};
use eduhub_runtime::deadline;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::{Certificate, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Persons of one call: their limit.
const PER_CALL: usize = 100;
/// Calls of one request at once.
const PARALLEL: usize = 4;
/// Calls of all requests at once: what one province may burden a national system with.
const AT_ONCE: usize = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const RETRIES: usize = 3;
/// When to ask again after the breaker or all tries gave up.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// How to reach it.
#[derive(Debug, Clone)]
pub struct PopulationConfig {
    /// Root of its API.
    pub url: Url,
    /// Key that it knows us by.
    pub api_key: SecretString,
    /// Authority of its certificate, PEM; an `https` URL needs it.
    pub ca_pem: Option<Vec<u8>>,
    /// Longest wait for one try.
    pub timeout: Duration,
}

/// Client of the population database. Cheap to clone.
#[derive(Clone)]
pub struct Population(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    url: Url,
    api_key: SecretString,
    breaker: Breaker,
    slots: Semaphore,
}

#[derive(Serialize)]
struct Asked<'a> {
    yeu_cau: Vec<Question<'a>>,
}

/// The reference is the position in the call: nothing of ours leaves.
#[derive(Serialize)]
struct Question<'a> {
    ma: String,
    so_dinh_danh: &'a str,
    ho_ten: &'a str,
    ngay_sinh: &'a str,
    gioi_tinh: &'a str,
}

#[derive(Deserialize)]
struct Answers {
    ket_qua: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    ma: String,
    ket_qua: Finding,
    #[serde(default)]
    truong_lech: Vec<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Finding {
    Match,
    Mismatch,
    NotFound,
}

/// Why a try failed. Never holds a body: bodies are about persons.
#[derive(Debug, thiserror::Error)]
enum TryError {
    #[error("no answer: {0}")]
    Transport(&'static str),
    #[error("status {0}")]
    Status(StatusCode),
    #[error("the answer does not fit the question")]
    Answer,
}

impl TryError {
    /// Whether the same again may succeed.
    fn may_pass(&self) -> bool {
        match self {
            Self::Transport(_) => true,
            Self::Status(code) => code.is_server_error() || *code == StatusCode::TOO_MANY_REQUESTS,
            Self::Answer => false,
        }
    }
}

impl Population {
    /// Makes a client; connects when first used.
    ///
    /// # Errors
    /// When the certificate is not usable.
    pub fn new(config: PopulationConfig) -> Result<Self, reqwest::Error> {
        eduhub_runtime::install_crypto_provider();
        let mut builder = reqwest::Client::builder().timeout(config.timeout).connect_timeout(config.timeout);
        // Without redirects: persons go where the configuration says and nowhere else.
        builder = builder.redirect(reqwest::redirect::Policy::none());
        if let Some(pem) = &config.ca_pem {
            builder = builder.tls_certs_only(Certificate::from_pem_bundle(pem)?);
        }
        Ok(Self(Arc::new(Inner {
            http: builder.build()?,
            url: endpoint(config.url),
            api_key: config.api_key,
            breaker: Breaker::default(),
            slots: Semaphore::new(AT_ONCE),
        })))
    }

    /// Verifies persons; answers stand in their order.
    ///
    /// # Errors
    /// UNAVAILABLE/UNAVAILABLE with a retry hint; INTERNAL when the answers make no sense.
    pub async fn verify(&self, persons: &[PersonQuery]) -> Result<Vec<PersonVerification>, Fault> {
        // Named beforehand: the compiler cannot see through a closure here that borrows.
        let calls: Vec<_> = persons.chunks(PER_CALL).map(|chunk| self.call(chunk)).collect();
        let answers: Vec<Vec<PersonVerification>> =
            stream::iter(calls).buffered(PARALLEL).try_collect().await?;
        Ok(answers.into_iter().flatten().collect())
    }

    async fn call(&self, persons: &[PersonQuery]) -> Result<Vec<PersonVerification>, Fault> {
        let _slot = self.0.slots.acquire().await.map_err(Fault::internal)?;
        if let Some(wait) = self.0.breaker.wait() {
            return Err(Fault::new(Reason::Unavailable).retry_after(wait));
        }
        let pauses = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(RETRIES)
            .with_jitter();
        let left = |pause: Duration| deadline::remaining().is_none_or(|left| left > pause);
        let tried = (|| self.attempt(persons))
            .retry(pauses)
            .when(TryError::may_pass)
            .adjust(|_, pause| pause.filter(|pause| left(*pause)))
            .await;
        match tried {
            Ok(answers) => {
                self.0.breaker.succeeded();
                Ok(answers)
            }
            Err(error) => {
                self.0.breaker.failed();
                let passing = error.may_pass();
                let fault = if passing {
                    Fault::new(Reason::Unavailable).source(error)
                } else {
                    Fault::internal(error)
                };
                Err(fault.retry_after(ASK_AGAIN))
            }
        }
    }

    async fn attempt(&self, persons: &[PersonQuery]) -> Result<Vec<PersonVerification>, TryError> {
        let yeu_cau = persons.iter().enumerate().map(|(i, person)| Question {
            ma: i.to_string(),
            so_dinh_danh: &person.personal_id,
            ho_ten: &person.full_name,
            ngay_sinh: &person.birth_date,
            gioi_tinh: &person.sex,
        });
        let request =
            self.0.http.post(self.0.url.clone()).header("x-api-key", self.0.api_key.expose_secret());
        let answer = request.json(&Asked { yeu_cau: yeu_cau.collect() }).send().await.map_err(transport)?;
        if !answer.status().is_success() {
            return Err(TryError::Status(answer.status()));
        }
        let answers: Answers = answer
            .json()
            .await
            .map_err(|error| if error.is_decode() { TryError::Answer } else { transport(error) })?;
        read(persons, answers).ok_or(TryError::Answer)
    }
}

/// The kind of failure only: reqwest's own text may quote.
fn transport(error: reqwest::Error) -> TryError {
    TryError::Transport(match () {
        () if error.is_timeout() => "time is up",
        () if error.is_connect() => "no connection",
        () => "broken off",
    })
}

/// `xac-thuc` below the root, whether the root names `/npd` or not.
fn endpoint(mut root: Url) -> Url {
    let path = root.path().trim_end_matches('/').to_owned();
    let base = if path.ends_with("/npd") { path } else { format!("{path}/npd") };
    root.set_path(&format!("{base}/xac-thuc"));
    root
}

/// The answers in our order; `None` unless there is exactly one for each person.
fn read(persons: &[PersonQuery], answers: Answers) -> Option<Vec<PersonVerification>> {
    let mut found: Vec<Option<Answer>> = persons.iter().map(|_| None).collect();
    for answer in answers.ket_qua {
        let place = found.get_mut(answer.ma.parse::<usize>().ok()?)?;
        if place.replace(answer).is_some() {
            return None;
        }
    }
    let verified = persons.iter().zip(found).map(|(person, answer)| {
        let answer = answer?;
        let outcome = match answer.ket_qua {
            Finding::Match => VerificationOutcome::Match,
            Finding::Mismatch => VerificationOutcome::Mismatch,
            Finding::NotFound => VerificationOutcome::NotFound,
        };
        let fields = answer.truong_lech.iter().filter_map(|field| field_of(field)).map(str::to_owned);
        Some(PersonVerification {
            r#ref: person.r#ref.clone(),
            outcome: outcome as i32,
            fields: fields.collect(),
        })
    });
    verified.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_may_name_npd_or_not() {
        for root in ["http://h:1", "http://h:1/", "http://h:1/npd", "http://h:1/npd/"] {
            assert_eq!(endpoint(root.parse().unwrap()).as_str(), "http://h:1/npd/xac-thuc");
        }
    }

    #[test]
    fn answers_are_put_in_order_and_must_be_complete() {
        let person = |reference: &str| PersonQuery { r#ref: reference.into(), ..PersonQuery::default() };
        let persons = [person("a"), person("b")];
        let read = |json: &str| read(&persons, serde_json::from_str(json).unwrap());
        let good = r#"{"ket_qua":[{"ma":"1","ket_qua":"MISMATCH","truong_lech":["ho_ten","ngay_sinh","la"]},
            {"ma":"0","ket_qua":"MATCH","truong_lech":[]}]}"#;
        let answers = read(good).unwrap();
        assert_eq!((answers[0].r#ref.as_str(), answers[0].outcome()), ("a", VerificationOutcome::Match));
        assert_eq!(answers[1].fields, ["full_name", "birth_date"]);
        for bad in [
            r#"{"ket_qua":[{"ma":"0","ket_qua":"MATCH"}]}"#,
            r#"{"ket_qua":[{"ma":"0","ket_qua":"MATCH"},{"ma":"0","ket_qua":"MATCH"}]}"#,
            r#"{"ket_qua":[{"ma":"0","ket_qua":"MATCH"},{"ma":"2","ket_qua":"MATCH"}]}"#,
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }
}
