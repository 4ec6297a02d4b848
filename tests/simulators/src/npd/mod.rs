//! The national population database: answers whether an ID number belongs to the person described.

mod fold;
pub(crate) mod population;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use crate::app::Shared;
use crate::refusal::{Refusal, parse};
use population::{Person, PersonRecord};

/// Persons per call.
const MAX_PERSONS: usize = 100;

/// The body of `POST /npd/xac-thuc`.
#[derive(Deserialize)]
struct Asked {
    yeu_cau: Vec<Question>,
}

/// One person to check, under the caller's own reference.
#[derive(Deserialize)]
struct Question {
    ma: String,
    #[serde(flatten)]
    person: PersonRecord,
}

/// Answers in the order asked.
#[derive(Serialize)]
pub(crate) struct Answers {
    ket_qua: Vec<Answer>,
}

#[derive(Serialize)]
struct Answer {
    ma: String,
    ket_qua: Finding,
    /// Fields that differ; filled for `MISMATCH` only. What is held is never told.
    truong_lech: Vec<&'static str>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Finding {
    Match,
    Mismatch,
    NotFound,
}

/// Checks up to 100 persons. Needs `X-API-Key`.
pub(crate) async fn verify(
    State(sim): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Answers>, Refusal> {
    let key = headers.get("x-api-key").and_then(|value| value.to_str().ok());
    if key != Some(sim.config.npd_api_key.as_str()) {
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, "KHOA_API_SAI", "Thiếu hoặc sai X-API-Key"));
    }
    let asked: Asked = parse(&body)?;
    if asked.yeu_cau.is_empty() || asked.yeu_cau.len() > MAX_PERSONS {
        return Err(Refusal::bad("SAI_SO_YEU_CAU", "Mỗi lần gọi có từ 1 đến 100 yêu cầu"));
    }
    let mut world = sim.world();
    let ket_qua: Vec<Answer> = asked
        .yeu_cau
        .into_iter()
        .map(|question| answer(world.population.find(&question.person.so_dinh_danh), question))
        .collect();
    for answer in &ket_qua {
        let counts = &mut world.tally.npd;
        match answer.ket_qua {
            Finding::Match => counts.matched += 1,
            Finding::Mismatch => counts.mismatched += 1,
            Finding::NotFound => counts.not_found += 1,
        }
    }
    Ok(Json(Answers { ket_qua }))
}

fn answer(held: Option<&Person>, question: Question) -> Answer {
    let Some(held) = held else {
        return Answer { ma: question.ma, ket_qua: Finding::NotFound, truong_lech: Vec::new() };
    };
    let truong_lech = held.differences(&question.person);
    let ket_qua = if truong_lech.is_empty() { Finding::Match } else { Finding::Mismatch };
    Answer { ma: question.ma, ket_qua, truong_lech }
}
