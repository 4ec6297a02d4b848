//! A Ministry of a few lines, for what the simulator does not do: a record that makes every batch with it fail, a call that
//! is held until the test lets it go, and a look at what exactly was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::watch;

#[derive(Default)]
pub struct Seen {
    /// Records that make the whole call fail, by `khoa`.
    pub poison: BTreeSet<String>,
    /// Status of those failures.
    pub status: u16,
    /// Idempotency key and body of every call, answered or not.
    pub calls: Vec<(String, Vec<u8>)>,
    /// `traceparent` of every call.
    pub traces: Vec<String>,
    /// Versions by record id, taken once per idempotency key.
    pub taken: BTreeMap<String, Vec<i64>>,
    /// Calls that were already answered once.
    pub repeated: usize,
    answers: BTreeMap<String, Value>,
}

#[derive(Clone)]
pub struct Stub {
    pub seen: Arc<Mutex<Seen>>,
    /// While false every call waits, before it takes anything.
    pub open: watch::Sender<bool>,
    pub url: String,
}

impl Stub {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/moet", listener.local_addr().unwrap());
        let stub = Self { seen: Arc::default(), open: watch::Sender::new(true), url };
        let routes = Router::new()
            .route("/moet/oauth/token", post(token))
            .route("/moet/api/TiepNhan", post(receive))
            .route("/moet/api/DoiSoat", get(nothing))
            .with_state(stub.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        stub
    }

    pub fn poison(&self, key: &str, status: u16) {
        let mut seen = self.seen.lock().unwrap();
        seen.poison.insert(key.to_owned());
        seen.status = status;
    }
}

async fn token() -> Json<Value> {
    Json(json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 60 }))
}

async fn nothing() -> Json<Value> {
    Json(json!({ "ban_ghi": [] }))
}

async fn receive(State(stub): State<Stub>, headers: HeaderMap, body: Bytes) -> Response {
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    {
        let mut seen = stub.seen.lock().unwrap();
        seen.calls.push((key.clone(), body.to_vec()));
        seen.traces.extend(headers.get("traceparent").map(|v| v.to_str().unwrap().to_owned()));
    }
    let mut open = stub.open.subscribe();
    open.wait_for(|open| *open).await.unwrap();
    let batch: Value = serde_json::from_slice(&body).unwrap();
    let records = batch["ban_ghi"].as_array().unwrap();
    let mut seen = stub.seen.lock().unwrap();
    if records.iter().any(|record| seen.poison.contains(record["khoa"].as_str().unwrap())) {
        let status = StatusCode::from_u16(seen.status).unwrap();
        return (status, Json(json!({ "ma_loi": "BOM", "thong_bao": "Không đọc được gói tin" })))
            .into_response();
    }
    if let Some(answer) = seen.answers.get(&key).cloned() {
        seen.repeated += 1;
        return Json(answer).into_response();
    }
    for record in records {
        let id = record["idbanghi"].as_str().unwrap().to_owned();
        seen.taken.entry(id).or_default().push(record["phienban"].as_i64().unwrap());
    }
    let verdict = |record: &Value| json!({ "idbanghi": record["idbanghi"], "trang_thai": "accepted" });
    let answer = json!({ "ma_giao_dich": "x", "ket_qua": records.iter().map(verdict).collect::<Vec<_>>() });
    seen.answers.insert(key, answer.clone());
    Json(answer).into_response()
}
