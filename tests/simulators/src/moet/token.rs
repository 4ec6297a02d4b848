//! `POST /moet/oauth/token`: OAuth 2.0 client credentials (RFC 6749, section 4.4), errors in that shape.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rand::Rng;
use serde::Deserialize;
use serde_json::json;

use crate::app::Shared;
use crate::refusal::{NO_TOKEN, Refusal};

/// Live tokens and when each dies.
#[derive(Default)]
pub(crate) struct Tokens(BTreeMap<String, Instant>);

impl Tokens {
    fn issue(&mut self, ttl: Duration) -> String {
        let now = Instant::now();
        self.0.retain(|_, dies| *dies > now);
        let token = hex::encode(rand::rng().random::<[u8; 32]>());
        self.0.insert(token.clone(), now + ttl);
        token
    }

    fn live(&self, token: &str) -> bool {
        self.0.get(token).is_some_and(|dies| *dies > Instant::now())
    }

    /// Kills every token, as a restart of the Ministry's gateway does. Returns how many.
    pub(crate) fn expire_all(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }
}

/// The form of a token request.
#[derive(Deserialize)]
pub(crate) struct TokenRequest {
    grant_type: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
}

/// Gives a token for the configured client.
pub(crate) async fn issue(
    State(sim): State<Shared>,
    form: Result<Form<TokenRequest>, FormRejection>,
) -> Response {
    let Ok(Form(request)) = form else {
        return refuse(StatusCode::BAD_REQUEST, "invalid_request");
    };
    if request.grant_type != "client_credentials" {
        return refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let config = &sim.config;
    if request.client_id != config.ministry_client_id
        || request.client_secret != config.ministry_client_secret
    {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let ttl = config.token_ttl;
    let token = sim.world().ministry.tokens.issue(ttl);
    let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": ttl.as_secs() });
    // RFC 6749, section 5.1: tokens are never cached on the way.
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn refuse(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

/// Refuses a call without a live bearer token.
pub(crate) fn check(sim: &Shared, headers: &HeaderMap) -> Result<(), Refusal> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if bearer.is_some_and(|token| sim.world().ministry.tokens.live(token)) {
        return Ok(());
    }
    let text = "Thiếu mã truy cập, hoặc mã đã hết hạn";
    Err(Refusal::new(StatusCode::UNAUTHORIZED, NO_TOKEN, text))
}
