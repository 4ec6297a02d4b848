use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Failure;

/// A token is not used in the last seconds of its life: it must outlive the call that carries it.
const MARGIN: Duration = Duration::from_secs(5);

/// Access tokens by client credentials (RFC 6749, section 4.4). In memory only; one request at a time fetches.
pub(super) struct Tokens {
    url: Url,
    client_id: String,
    client_secret: SecretString,
    held: Mutex<Option<Token>>,
}

#[derive(Clone)]
pub(super) struct Token {
    pub(super) value: SecretString,
    dies: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl Tokens {
    pub(super) fn new(url: Url, client_id: String, client_secret: SecretString) -> Self {
        Self { url, client_id, client_secret, held: Mutex::default() }
    }

    /// A token that is good for now. `refused` is one that the Ministry did not take: a new one is fetched unless
    /// somebody has done so already.
    pub(super) async fn get(&self, http: &Client, refused: Option<&Token>) -> Result<Token, Failure> {
        let mut held = self.held.lock().await;
        let good = held.as_ref().filter(|token| {
            let is_refused = refused.is_some_and(|r| r.value.expose_secret() == token.value.expose_secret());
            token.dies > Instant::now() && !is_refused
        });
        if let Some(token) = good {
            return Ok(token.clone());
        }
        let token = self.fetch(http).await?;
        *held = Some(token.clone());
        Ok(token)
    }

    /// A token fetched only to see whether one is given; the one that is held stays.
    pub(super) async fn try_out(&self, http: &Client) -> Result<(), Failure> {
        self.fetch(http).await.map(drop)
    }

    async fn fetch(&self, http: &Client) -> Result<Token, Failure> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
        ];
        let response = http.post(self.url.clone()).form(&form).send().await.map_err(away)?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failure::Throttled(
                super::client::retry_after(&response).unwrap_or(Duration::from_secs(1)),
            ));
        }
        if !status.is_success() {
            if status.is_client_error() {
                tracing::error!(
                    status = status.as_u16(),
                    "the Ministry does not take our client credentials"
                );
            }
            return Err(Failure::Away { code: format!("TOKEN-{}", status.as_u16()), after: None });
        }
        let granted: Granted = response.json().await.map_err(away)?;
        let life = Duration::from_secs(granted.expires_in);
        let dies = Instant::now() + life.saturating_sub(MARGIN.min(life / 2));
        Ok(Token { value: granted.access_token.into(), dies })
    }
}

/// Without a token nothing was sent: no record is to blame, whatever went wrong.
fn away(_: reqwest::Error) -> Failure {
    Failure::Away { code: "TOKEN".to_owned(), after: None }
}
