//! Commits the drawn fault around a handler.

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::time::sleep;

use super::{Action, Endpoint, FaultKind};
use crate::app::Shared;
use crate::serve::Scissors;

/// Counts the call, then answers, refuses, waits or cuts as drawn.
pub(crate) async fn inject(
    State((sim, endpoint)): State<(Shared, Endpoint)>,
    Extension(scissors): Extension<Scissors>,
    request: Request,
    next: Next,
) -> Response {
    let action = draw(&sim, endpoint);
    match action {
        Action::Answer => next.run(request).await,
        Action::Refuse { status, retry_after } => refuse(status, retry_after),
        Action::Slow(wait) => {
            sleep(wait).await;
            next.run(request).await
        }
        Action::Hang { wait, after_store } => {
            if after_store {
                drop(next.run(request).await);
            }
            sleep(wait).await;
            scissors.cut().await
        }
        Action::Reset { after_store } => {
            if after_store {
                drop(next.run(request).await);
            }
            scissors.cut().await
        }
    }
}

fn draw(sim: &Shared, endpoint: Endpoint) -> Action {
    let mut world = sim.world();
    world.tally.call(endpoint);
    let (kind, action) = world.faults.lanes.next(endpoint);
    if kind != FaultKind::Ok {
        world.tally.fault(endpoint, kind);
    }
    action
}

fn refuse(status: StatusCode, retry_after: Option<u64>) -> Response {
    let body = Json(json!({ "ma_loi": "HE_THONG", "thong_bao": "Hệ thống đang bận, vui lòng gửi lại sau" }));
    match retry_after {
        Some(seconds) => (status, [(header::RETRY_AFTER, seconds.to_string())], body).into_response(),
        None => (status, body).into_response(),
    }
}
