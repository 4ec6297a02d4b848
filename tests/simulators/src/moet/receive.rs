//! `POST /moet/api/TiepNhan`: takes a batch of records, once per idempotency key.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::message::{Batch, Receipt};
use super::{Answered, judge, open_type, token};
use crate::app::{Shared, World};
use crate::refusal::{Refusal, parse};

/// Records per batch.
const MAX_RECORDS: usize = 500;

/// Longest idempotency key.
const MAX_KEY: usize = 128;

/// Token, key, shape; then the stored answer for a known key, or a fresh one.
pub(crate) async fn receive(
    State(sim): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    token::check(&sim, &headers)?;
    let key = idempotency_key(&headers)?;
    let batch: Batch = parse(&body)?;
    check_frame(&batch)?;
    let request: [u8; 32] = Sha256::digest(&body).into();
    let mut world = sim.world();
    if let Some(answered) = world.ministry.answers.get(&key) {
        if answered.request != request {
            let text = "Idempotency-Key đã dùng cho một gói tin khác";
            return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "KHOA_DA_DUNG", text));
        }
        let body = answered.body.clone();
        world.tally.duplicates_suppressed += 1;
        return Ok(replay(body));
    }
    let body = answer(&mut world, &batch)?;
    world.ministry.answers.insert(key, Answered { request, body: body.clone() });
    Ok(json(body))
}

fn answer(world: &mut World, batch: &Batch) -> Result<Bytes, Refusal> {
    let ket_qua = judge::judge(world, batch);
    let receipt = Receipt { ma_giao_dich: Uuid::now_v7(), ket_qua };
    let body = serde_json::to_vec(&receipt);
    body.map(Bytes::from)
        .map_err(|_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "HE_THONG", "Không tạo được phản hồi"))
}

fn json(body: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn replay(body: Bytes) -> Response {
    let mut response = json(body);
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    response
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Refusal> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).map(str::trim);
    match key {
        Some(key) if (1..=MAX_KEY).contains(&key.len()) => Ok(key.to_owned()),
        _ => Err(Refusal::bad("THIEU_KHOA", "Thiếu Idempotency-Key, hoặc dài quá 128 ký tự")),
    }
}

fn check_frame(batch: &Batch) -> Result<(), Refusal> {
    open_type(batch.loai)?;
    if !school_code(&batch.ma_truong) {
        return Err(Refusal::bad("SAI_MA_TRUONG", "Mã trường gồm 8 đến 15 chữ số, chữ hoa"));
    }
    if !(2000..=2100).contains(&batch.nam_hoc) {
        return Err(Refusal::bad("SAI_NAM_HOC", "Năm học là năm bắt đầu, từ 2000 đến 2100"));
    }
    if batch.ban_ghi.is_empty() || batch.ban_ghi.len() > MAX_RECORDS {
        return Err(Refusal::bad("SAI_SO_BAN_GHI", "Mỗi gói tin có từ 1 đến 500 bản ghi"));
    }
    Ok(())
}

/// Both shapes of school codes, before and after July 2025 (domain.md E.3).
pub(crate) fn school_code(text: &str) -> bool {
    (8..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}
