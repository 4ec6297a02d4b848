//! Calls that fail before they are looked at.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;

use crate::stand::{NPD_KEY, Stand, batch, class, json_of};

#[tokio::test]
async fn a_script_is_followed_call_by_call() {
    let stand = Stand::new().await;
    let script = json!(["http_503", { "fault": "http_429", "seconds": 7 }, "ok", "http_500", "http_502"]);
    stand.plan(&json!({ "endpoints": { "tiep_nhan": { "script": script } } })).await;
    let message = batch(3, &[class(1, "6A")]);
    let mut met = Vec::new();
    for n in 0..6 {
        let response = stand.send(&format!("goi-{n}"), &message).send().await.unwrap();
        let after = response.headers().get("retry-after").map(|v| v.to_str().unwrap().to_owned());
        met.push((response.status().as_u16(), after));
    }
    let plain = |status| (status, None);
    let expected = [plain(503), (429, Some("7".to_owned())), plain(200), plain(500), plain(502), plain(200)];
    assert_eq!(met, expected);
    let state = stand.state().await;
    assert_eq!(state["calls"]["tiep_nhan"], 6);
    let faults = json!({ "tiep_nhan": { "http_500": 1, "http_502": 1, "http_503": 1, "http_429": 1 } });
    assert_eq!(state["faults"], faults);
    assert_eq!(state["records"]["accepted"], 1);
}

#[tokio::test]
async fn every_endpoint_can_fail_alone() {
    let stand = Stand::new().await;
    let always = json!({ "probability": { "http_503": 1.0 } });
    let paths = [
        ("oauth_token", stand.http.post(stand.url("/moet/oauth/token"))),
        ("doi_soat", stand.get("/moet/api/DoiSoat?ma_truong=37000301&loai=3")),
        ("get_dm", stand.get("/moet/api/GET_DM?danh_muc=DM_DAN_TOC")),
        ("tiep_nhan", stand.send("k", &batch(3, &[class(1, "6A")]))),
        ("xac_thuc", stand.http.post(stand.url("/npd/xac-thuc")).header("X-API-Key", NPD_KEY)),
    ];
    for (endpoint, request) in paths {
        stand.plan(&json!({ "endpoints": { endpoint: always } })).await;
        assert_eq!(request.send().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE, "{endpoint}");
        assert_eq!(stand.state().await["faults"][endpoint]["http_503"], 1);
        let other = if endpoint == "get_dm" {
            "/moet/api/DoiSoat?ma_truong=37000301&loai=3"
        } else {
            "/moet/api/GET_DM?danh_muc=DM_GIOI_TINH"
        };
        assert_eq!(stand.get(other).send().await.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_seed_repeats_the_same_faults() {
    let mut runs = Vec::new();
    for seed in [5, 5, 6] {
        let stand = Stand::new().await;
        let probability = json!({ "http_500": 0.2, "http_429": 0.2, "reset": 0.1 });
        stand.plan(&json!({ "seed": seed, "endpoints": { "get_dm": { "probability": probability } } })).await;
        let mut met = Vec::new();
        for _ in 0..60 {
            let response = stand.get("/moet/api/GET_DM?danh_muc=DM_GIOI_TINH").send().await;
            met.push(response.ok().map(|r| r.status().as_u16()));
        }
        runs.push(met);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    for kind in [None, Some(200), Some(429), Some(500)] {
        assert!(runs[0].contains(&kind), "{kind:?} never came");
    }
}

#[tokio::test]
async fn slow_answers_are_late_but_right() {
    let stand = Stand::new().await;
    let script = json!([{ "fault": "slow", "seconds": 0.3 }]);
    stand.plan(&json!({ "endpoints": { "get_dm": { "script": script } } })).await;
    let begun = Instant::now();
    let response = stand.get("/moet/api/GET_DM?danh_muc=DM_GIOI_TINH").send().await.unwrap();
    assert_eq!(json_of(response).await["muc"].as_array().unwrap().len(), 3);
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn senseless_plans_are_refused_and_change_nothing() {
    let stand = Stand::new().await;
    stand.plan(&json!({ "endpoints": { "get_dm": { "probability": { "http_503": 1.0 } } } })).await;
    let plans = [
        json!({ "endpoints": { "get_dm": { "probability": { "http_503": 1.5 } } } }),
        json!({ "endpoints": { "get_dm": { "probability": { "http_503": 0.6, "slow": 0.6 } } } }),
        json!({ "endpoints": { "get_dm": { "probability": { "ok": 0.5 } } } }),
        json!({ "endpoints": { "get_dm": { "script": ["http_418"] } } }),
        json!({ "endpoints": { "get_dm": { "script": [{ "fault": "hang", "seconds": -1 }] } } }),
        json!({ "endpoints": { "khong_co": {} } }),
        json!({ "records": { "probability": { "alter": 2.0 } } }),
        json!({ "sed": 1 }),
    ];
    for plan in plans {
        let response = stand.http.post(stand.url("/control/faults")).json(&plan).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{plan}");
    }
    let still = stand.get("/moet/api/GET_DM?danh_muc=DM_GIOI_TINH").send().await.unwrap();
    assert_eq!(still.status(), StatusCode::SERVICE_UNAVAILABLE);
}
