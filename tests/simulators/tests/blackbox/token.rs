//! OAuth tokens.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use crate::stand::{CLIENT_ID, CLIENT_SECRET, Stand, batch, class, config, json_of};

#[tokio::test]
async fn a_token_says_how_long_it_lives() {
    let stand = Stand::new().await;
    let form =
        [("grant_type", "client_credentials"), ("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)];
    let body =
        json_of(stand.http.post(stand.url("/moet/oauth/token")).form(&form).send().await.unwrap()).await;
    assert_eq!((&body["token_type"], &body["expires_in"]), (&Value::from("Bearer"), &Value::from(120)));
}

#[tokio::test]
async fn wrong_credentials_and_other_grants_get_none() {
    let stand = Stand::new().await;
    let cases = [
        ("client_credentials", CLIENT_ID, "sai", StatusCode::UNAUTHORIZED, "invalid_client"),
        ("client_credentials", "khac", CLIENT_SECRET, StatusCode::UNAUTHORIZED, "invalid_client"),
        ("password", CLIENT_ID, CLIENT_SECRET, StatusCode::BAD_REQUEST, "unsupported_grant_type"),
    ];
    for (grant, id, secret, status, error) in cases {
        let form = [("grant_type", grant), ("client_id", id), ("client_secret", secret)];
        let response = stand.http.post(stand.url("/moet/oauth/token")).form(&form).send().await.unwrap();
        assert_eq!((response.status(), json_of(response).await["error"].as_str().unwrap()), (status, error));
    }
    let empty = stand.http.post(stand.url("/moet/oauth/token")).send().await.unwrap();
    assert_eq!(empty.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn every_ministry_call_wants_a_live_token() {
    let mut stand = Stand::new().await;
    for token in ["", "khong-phai-token"] {
        token.clone_into(&mut stand.token);
        let gets = ["/moet/api/DoiSoat?ma_truong=37000301&loai=4", "/moet/api/GET_DM?danh_muc=DM_DAN_TOC"];
        for path in gets {
            let response = stand.get(path).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
            assert!(response.headers().contains_key("www-authenticate"));
        }
        let sent = stand.send("k", &batch(3, &[class(1, "6A")])).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(stand.state().await["held"], serde_json::json!({}));
}

#[tokio::test]
async fn tokens_die_of_age_and_on_command() {
    let mut aged = config();
    aged.token_ttl = Duration::ZERO;
    let stand = Stand::with(aged).await;
    let catalogue = "/moet/api/GET_DM?danh_muc=DM_GIOI_TINH";
    assert_eq!(stand.get(catalogue).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);

    let mut stand = Stand::new().await;
    assert_eq!(stand.get(catalogue).send().await.unwrap().status(), StatusCode::OK);
    let expired = stand.http.post(stand.url("/control/tokens/expire")).send().await.unwrap();
    assert_eq!(json_of(expired).await["expired"], 1);
    assert_eq!(stand.get(catalogue).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    stand.token = stand.fetch_token().await;
    assert_eq!(stand.get(catalogue).send().await.unwrap().status(), StatusCode::OK);
}
