//! `GET /moet/api/GET_DM`: code lists (domain.md D).

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::token;
use crate::app::Shared;
use crate::refusal::Refusal;

/// Rows `list<TAB>code<TAB>name`.
const ROWS: &str = include_str!("catalogues.tsv");

/// The list asked for, such as `DM_DAN_TOC`.
#[derive(Deserialize)]
pub(crate) struct Asked {
    danh_muc: String,
}

/// A list with its codes in order.
#[derive(Serialize)]
pub(crate) struct Catalogue {
    danh_muc: String,
    muc: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    ma: &'static str,
    ten: &'static str,
}

/// Answers a list, or 404 for one that is not there.
pub(crate) async fn catalogue(
    State(sim): State<Shared>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Catalogue>, Refusal> {
    token::check(&sim, &headers)?;
    let Ok(Query(Asked { danh_muc })) = asked else {
        return Err(Refusal::bad("THAM_SO_SAI", "Cần danh_muc"));
    };
    let muc: Vec<Entry> = entries(&danh_muc).collect();
    if muc.is_empty() {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "KHONG_CO_DANH_MUC", "Không có danh mục này"));
    }
    Ok(Json(Catalogue { danh_muc, muc }))
}

/// Whether the list has the code.
pub(crate) fn has(list: &str, code: &str) -> bool {
    entries(list).any(|entry| entry.ma == code)
}

fn entries(list: &str) -> impl Iterator<Item = Entry> {
    ROWS.lines().filter_map(move |line| {
        let (of, rest) = line.split_once('\t')?;
        let (ma, ten) = rest.split_once('\t')?;
        (of == list).then_some(Entry { ma, ten })
    })
}
