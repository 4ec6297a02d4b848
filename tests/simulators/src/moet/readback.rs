//! `GET /moet/api/DoiSoat`: what the Ministry holds of one school and payload type, page by page.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::held::Held;
use super::message::Fields;
use super::{open_type, token};
use crate::app::Shared;
use crate::refusal::Refusal;

const DEFAULT_PAGE: usize = 200;
const MAX_PAGE: usize = 1000;

/// School and type are required; `trang` is the token of the page before.
#[derive(Deserialize)]
pub(crate) struct Asked {
    ma_truong: String,
    loai: u8,
    #[serde(default)]
    trang: String,
    kich_thuoc: Option<usize>,
}

/// One page. No further page when `trang_sau` is null.
#[derive(Serialize)]
pub(crate) struct Page {
    ban_ghi: Vec<Row>,
    trang_sau: Option<String>,
}

#[derive(Serialize)]
struct Row {
    idbanghi: Uuid,
    khoa: String,
    phienban: i64,
    nam_hoc: i32,
    du_lieu: Fields,
    ma_bo: Option<String>,
}

/// Live records in the order of their ids. Records that arrive while pages are read show up or not by their id.
pub(crate) async fn read_back(
    State(sim): State<Shared>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Page>, Refusal> {
    token::check(&sim, &headers)?;
    let Ok(Query(asked)) = asked else {
        return Err(Refusal::bad("THAM_SO_SAI", "Cần ma_truong, loai; trang và kich_thuoc tùy chọn"));
    };
    open_type(asked.loai)?;
    let size = asked.kich_thuoc.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&size) {
        return Err(Refusal::bad("THAM_SO_SAI", "kich_thuoc từ 1 đến 1000"));
    }
    let after = after(&asked)?;
    let world = sim.world();
    let mut rows = world.ministry.store.page(&asked.ma_truong, asked.loai, after);
    let ban_ghi: Vec<Row> = rows.by_ref().take(size).map(Row::from).collect();
    let more = rows.next().is_some();
    let trang_sau = ban_ghi.last().filter(|_| more).map(|row| page_token(&asked, row.idbanghi));
    Ok(Json(Page { ban_ghi, trang_sau }))
}

/// Tokens carry what they were given for, so that one cannot be used for another list.
fn page_token(asked: &Asked, last: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(format!("1|{}|{}|{last}", asked.ma_truong, asked.loai))
}

fn after(asked: &Asked) -> Result<Option<Uuid>, Refusal> {
    if asked.trang.is_empty() {
        return Ok(None);
    }
    let plain = URL_SAFE_NO_PAD.decode(&asked.trang).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let id = plain.as_deref().and_then(|s| s.rsplit('|').next()).and_then(|s| Uuid::parse_str(s).ok());
    match id {
        Some(id) if page_token(asked, id) == asked.trang => Ok(Some(id)),
        _ => Err(Refusal::bad("TRANG_SAI", "Mã trang không thuộc danh sách này")),
    }
}

impl From<&Held> for Row {
    fn from(held: &Held) -> Self {
        Self {
            idbanghi: held.idbanghi,
            khoa: held.khoa.clone(),
            phienban: held.phienban,
            nam_hoc: held.nam_hoc,
            du_lieu: held.du_lieu.clone(),
            ma_bo: held.ma_bo.clone(),
        }
    }
}
