//! Answers that never arrive.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stand::{Stand, batch, class, json_of};

async fn scripted(script: Value) -> Stand {
    let stand = Stand::new().await;
    stand.plan(&json!({ "endpoints": { "tiep_nhan": { "script": script } } })).await;
    stand
}

#[tokio::test]
async fn reset_after_store_loses_the_answer_and_keeps_the_data() {
    let stand = scripted(json!(["reset_after_store"])).await;
    let message = batch(3, &[class(1, "6A")]);
    let lost = stand.send("goi-1", &message).send().await.unwrap_err();
    assert!(!lost.is_timeout() && lost.status().is_none(), "{lost:?}");
    assert_eq!(stand.held(3).await.len(), 1);

    let again = stand.send("goi-1", &message).send().await.unwrap();
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(json_of(again).await["ket_qua"][0]["trang_thai"], "accepted");
    // Under another key the Ministry has seen that version already.
    let fresh = json_of(stand.send("goi-2", &message).send().await.unwrap()).await;
    assert_eq!(fresh["ket_qua"][0]["trang_thai"], "stale");
    let state = stand.state().await;
    assert_eq!(state["duplicates_suppressed"], 1);
    assert_eq!(state["faults"]["tiep_nhan"], json!({ "reset_after_store": 1 }));
    assert_eq!(state["records"]["accepted"], 1);
}

#[tokio::test]
async fn reset_before_store_keeps_nothing() {
    let stand = scripted(json!(["reset"])).await;
    let message = batch(3, &[class(1, "6A")]);
    stand.send("goi-1", &message).send().await.unwrap_err();
    assert!(stand.held(3).await.is_empty());
    let again = stand.send("goi-1", &message).send().await.unwrap();
    assert!(!again.headers().contains_key("idempotent-replayed"));
}

#[tokio::test]
async fn a_reset_is_a_reset_on_the_wire() {
    let stand = scripted(json!(["reset_after_store"])).await;
    let (addr, token) = (stand.handle.addr, stand.token.clone());
    let body = batch(3, &[class(1, "6A")]).to_string();
    let read = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(addr).unwrap();
        let head = format!(
            "POST /moet/api/TiepNhan HTTP/1.1\r\nhost: {addr}\r\nauthorization: Bearer {token}\r\n\
             idempotency-key: goi-1\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = Vec::new();
        (stream.read_to_end(&mut answer).map_err(|e| e.kind()), answer)
    });
    assert_eq!(read.await.unwrap(), (Err(ErrorKind::ConnectionReset), Vec::new()));
    assert_eq!(stand.held(3).await.len(), 1);
}

#[tokio::test]
async fn a_hanging_call_outlives_the_clients_patience() {
    let stand = scripted(json!(["hang", "hang_after_store", { "fault": "hang", "seconds": 0.1 }])).await;
    let message = batch(3, &[class(1, "6A")]);
    for held in [0, 1] {
        let given_up =
            stand.send("goi-1", &message).timeout(Duration::from_secs(1)).send().await.unwrap_err();
        assert!(given_up.is_timeout(), "{given_up:?}");
        assert_eq!(stand.held(3).await.len(), held);
    }
    let cut = stand.send("goi-1", &message).send().await.unwrap_err();
    assert!(!cut.is_timeout(), "a hang ends with a reset: {cut:?}");
    let again = stand.send("goi-1", &message).send().await.unwrap();
    assert_eq!(again.headers()["idempotent-replayed"], "true");
}

#[tokio::test]
async fn other_connections_live_on_through_a_reset() {
    let stand = scripted(json!(["reset_after_store"])).await;
    let slow = json!({ "endpoints": {
        "tiep_nhan": { "script": ["reset_after_store"] },
        "get_dm": { "script": [{ "fault": "slow", "seconds": 0.3 }] },
    } });
    stand.plan(&slow).await;
    let under_way = tokio::spawn(stand.get("/moet/api/GET_DM?danh_muc=DM_GIOI_TINH").send());
    stand.send("goi-1", &batch(3, &[class(1, "6A")])).send().await.unwrap_err();
    assert!(under_way.await.unwrap().unwrap().status().is_success());
}
