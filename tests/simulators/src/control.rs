//! `/control`: fault plans, the state with the truth, reset. No access control, hence loopback only.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::app::{Shared, World};
use crate::faults::{Faults, Plan};
use crate::moet::{Ministry, judge};
use crate::tally::{Deed, OnPurpose, Tally};

/// A whole province in one load: a million persons of 130 bytes.
const MAX_LOAD: usize = 256 << 20;

pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/control/faults", post(set_faults))
        .route("/control/state", get(state))
        .route("/control/reset", post(reset))
        .route("/control/tokens/expire", post(expire_tokens))
        .route("/control/npd/load", post(load_population))
        .layer(DefaultBodyLimit::max(MAX_LOAD))
}

/// Replaces the fault plan. The refusal may quote the plan: it is the tester's own text.
async fn set_faults(State(sim): State<Shared>, body: Bytes) -> Response {
    let mut plan: Plan = match serde_json::from_slice(&body) {
        Ok(plan) => plan,
        Err(e) => return refuse(&e.to_string()),
    };
    if let Some(mistake) = plan.mistake() {
        return refuse(&mistake);
    }
    let ghosts = std::mem::take(&mut plan.records.ghosts);
    let mut world = sim.world();
    world.faults = Faults::start(plan);
    judge::add_ghosts(&mut world, ghosts);
    StatusCode::NO_CONTENT.into_response()
}

/// Counts, what is held per school and type, and what was done wrong on purpose.
async fn state(State(sim): State<Shared>) -> Json<Value> {
    let mut world = sim.world();
    refresh(&mut world);
    let tally = &world.tally;
    Json(json!({
        "calls": tally.calls,
        "faults": tally.faults,
        "records": tally.records,
        "duplicates_suppressed": tally.duplicates_suppressed,
        "npd": { "population": world.population.len(), "verdicts": tally.npd },
        "held": world.ministry.store.counts(),
        "on_purpose": tally.on_purpose,
    }))
}

/// Forgets records, answers, tokens, counts and the fault plan. The population stays: it is input, not outcome.
async fn reset(State(sim): State<Shared>) -> StatusCode {
    let mut world = sim.world();
    world.ministry = Ministry::default();
    world.faults = Faults::default();
    world.tally = Tally::default();
    StatusCode::NO_CONTENT
}

async fn expire_tokens(State(sim): State<Shared>) -> Json<Value> {
    Json(json!({ "expired": sim.world().ministry.tokens.expire_all() }))
}

/// JSON lines; all or nothing.
async fn load_population(State(sim): State<Shared>, body: Bytes) -> Response {
    let Ok(lines) = std::str::from_utf8(&body) else {
        return refuse("the body is not UTF-8");
    };
    let mut world = sim.world();
    match world.population.load(lines) {
        Ok(loaded) => Json(json!({ "loaded": loaded, "population": world.population.len() })).into_response(),
        Err(mistake) => refuse(&mistake),
    }
}

fn refuse(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
}

/// Says of each deed whether it still shows.
fn refresh(world: &mut World) {
    let store = &world.ministry.store;
    let held = |deed: &Deed| store.get(deed.loai, deed.idbanghi);
    let OnPurpose { rejected, altered, forgotten, ghosts } = &mut world.tally.on_purpose;
    for deed in rejected.iter_mut().chain(forgotten) {
        deed.still_wrong = held(deed).is_none_or(|row| row.phienban < deed.phienban);
    }
    for deed in altered.iter_mut().chain(ghosts) {
        deed.still_wrong = held(deed).is_some_and(|row| !row.cancelled && row.phienban == deed.phienban);
    }
}
