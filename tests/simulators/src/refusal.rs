//! A whole request refused, in the two systems' own shape: `{"ma_loi", "thong_bao"}`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

/// Code of a call without a live token; its answer names the scheme, as RFC 6750 asks.
pub(crate) const NO_TOKEN: &str = "TOKEN_KHONG_HOP_LE";

/// Status, stable code and a Vietnamese sentence. The sentence never repeats what a record holds.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) ma_loi: &'static str,
    pub(crate) thong_bao: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, ma_loi: &'static str, thong_bao: impl Into<String>) -> Self {
        Self { status, ma_loi, thong_bao: thong_bao.into() }
    }

    pub(crate) fn bad(ma_loi: &'static str, thong_bao: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ma_loi, thong_bao)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(json!({ "ma_loi": self.ma_loi, "thong_bao": self.thong_bao }));
        let mut response = (self.status, body).into_response();
        if self.ma_loi == NO_TOKEN {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Reads a JSON body. The refusal names the place only: serde's own sentence quotes the offending value.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|e| {
        let place = format!("Nội dung JSON sai ở dòng {}, cột {}", e.line(), e.column());
        Refusal::bad("NOI_DUNG_SAI", place)
    })
}
