//! Reset, and where the simulators may listen.

use std::net::SocketAddr;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::stand::{Stand, class, config};

#[tokio::test]
async fn reset_starts_the_ministry_afresh_and_keeps_the_population() {
    let mut stand = Stand::new().await;
    let person =
        json!({ "so_dinh_danh": "037314000001", "ho_ten": "Hòa", "ngay_sinh": "2014-09-02", "gioi_tinh": 2 });
    stand.http.post(stand.url("/control/npd/load")).body(person.to_string()).send().await.unwrap();
    stand.push(3, &[class(1, "6A")]).await;
    stand.plan(&json!({ "endpoints": { "get_dm": { "script": ["http_503"] } } })).await;
    let reset = stand.http.post(stand.url("/control/reset")).send().await.unwrap();
    assert_eq!(reset.status(), StatusCode::NO_CONTENT);
    let state = stand.state().await;
    assert_eq!((&state["calls"], &state["held"]), (&json!({}), &json!({})));
    assert_eq!(state["npd"]["population"], 1);
    let catalogue = "/moet/api/GET_DM?danh_muc=DM_GIOI_TINH";
    assert_eq!(stand.get(catalogue).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    stand.token = stand.fetch_token().await;
    assert_eq!(stand.get(catalogue).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(stand.push(3, &[class(1, "6A")]).await[0]["ma_loi"], Value::Null);
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    let mut open = config();
    open.listen = SocketAddr::from(([0, 0, 0, 0], 0));
    assert!(eduhub_simulators::start(open).await.is_err());
}

#[tokio::test]
async fn a_shut_down_stand_answers_no_more() {
    let stand = Stand::new().await;
    let url = stand.url("/control/state");
    stand.handle.shutdown().await;
    assert!(stand.http.get(url).send().await.unwrap_err().is_connect());
}
