//! Running simulators with a client, and the messages that tests send.

use std::sync::Once;
use std::time::Duration;

use eduhub_simulators::{Config, Handle, start};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

pub const SCHOOL: &str = "37000301";
pub const CLIENT_ID: &str = "so-gddt-ninh-binh";
pub const CLIENT_SECRET: &str = "chi-dung-khi-thu";
pub const NPD_KEY: &str = "khoa-thu";

/// Simulators of one test, on their own port.
pub struct Stand {
    pub handle: Handle,
    pub http: reqwest::Client,
    pub token: String,
}

pub fn config() -> Config {
    Config::new(CLIENT_ID, CLIENT_SECRET, NPD_KEY)
}

/// A client that keeps no connection to reuse: a reset must not be blamed on the pool. Its patience is for a machine
/// under load; tests of hanging calls bring their own.
pub fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    });
    let patience = Duration::from_secs(30);
    reqwest::Client::builder().timeout(patience).pool_max_idle_per_host(0).build().unwrap()
}

/// A record for a batch.
pub fn record(n: u128, version: i64, khoa: &str, du_lieu: Value) -> Value {
    json!({ "idbanghi": Uuid::from_u128(n), "phienban": version, "sukien": "NEW", "khoa": khoa, "du_lieu": du_lieu })
}

pub fn class(n: u128, code: &str) -> Value {
    record(n, 1, code, json!({ "MA": code, "TEN": code, "MA_KHOI": "6", "TRUONG_ID": SCHOOL }))
}

/// A good pupil of class 6A without a Ministry code; the personal ID number follows from `n`.
pub fn pupil(n: u128, version: i64) -> Value {
    record(
        n,
        version,
        &format!("TAM-{n}"),
        json!({
            "HO_TEN": "Nguyễn Thị Hòa", "NGAY_SINH": "2014-09-02", "MA_GIOI_TINH": "2", "MA_KHOI": "6",
            "MA_LOP": "6A", "MA_DAN_TOC": "01", "MA_CONG_DAN_ID": format!("037314{n:06}"), "NOI_SINH": "Ninh Bình",
        }),
    )
}

pub fn batch(loai: u8, records: &[Value]) -> Value {
    json!({ "loai": loai, "ma_truong": SCHOOL, "nam_hoc": 2026, "ban_ghi": records })
}

pub async fn json_of(response: Response) -> Value {
    response.json().await.unwrap()
}

impl Stand {
    pub async fn new() -> Self {
        Self::with(config()).await
    }

    pub async fn with(config: Config) -> Self {
        let handle = start(config).await.unwrap();
        let mut stand = Self { handle, http: client(), token: String::new() };
        stand.token = stand.fetch_token().await;
        stand
    }

    pub async fn fetch_token(&self) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
        ];
        let response = self.http.post(self.url("/moet/oauth/token")).form(&form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        json_of(response).await["access_token"].as_str().unwrap().to_owned()
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.handle.base_url())
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path)).bearer_auth(&self.token)
    }

    pub fn send(&self, key: &str, batch: &Value) -> RequestBuilder {
        let request = self.http.post(self.url("/moet/api/TiepNhan")).bearer_auth(&self.token);
        request.header("Idempotency-Key", key).json(batch)
    }

    /// Sends under a fresh key and returns the verdicts.
    pub async fn push(&self, loai: u8, records: &[Value]) -> Vec<Value> {
        let response = self.send(&Uuid::new_v4().to_string(), &batch(loai, records)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        json_of(response).await["ket_qua"].as_array().unwrap().clone()
    }

    /// Everything held of a type at the school.
    pub async fn held(&self, loai: u8) -> Vec<Value> {
        let path = format!("/moet/api/DoiSoat?ma_truong={SCHOOL}&loai={loai}&kich_thuoc=1000");
        let page = json_of(self.get(&path).send().await.unwrap()).await;
        assert_eq!(page["trang_sau"], Value::Null);
        page["ban_ghi"].as_array().unwrap().clone()
    }

    pub async fn plan(&self, plan: &Value) {
        let response = self.http.post(self.url("/control/faults")).json(plan).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{}", response.text().await.unwrap());
    }

    pub async fn state(&self) -> Value {
        json_of(self.http.get(self.url("/control/state")).send().await.unwrap()).await
    }
}

/// Word and code of a verdict, for short comparisons.
pub fn ends(verdicts: &[Value]) -> Vec<(&str, &str)> {
    fn word(value: &Value) -> &str {
        value.as_str().unwrap_or("")
    }
    verdicts.iter().map(|v| (word(&v["trang_thai"]), word(&v["ma_loi"]))).collect()
}
