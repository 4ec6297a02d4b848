//! Taking batches: versions, codes, idempotency keys, frames.

use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stand::{SCHOOL, Stand, batch, class, ends, json_of, pupil};

#[tokio::test]
async fn a_new_pupil_gets_a_code_for_life() {
    let stand = Stand::new().await;
    stand.push(3, &[class(1, "6A")]).await;
    let first = stand.push(4, &[pupil(10, 1), pupil(11, 1)]).await;
    let code = first[0]["ma_bo"].as_str().unwrap().to_owned();
    assert!(code.len() == 10 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
    assert_ne!(first[0]["ma_bo"], first[1]["ma_bo"]);

    let mut swapped = pupil(10, 2);
    swapped["khoa"] = code.as_str().into();
    assert_eq!(stand.push(4, &[swapped]).await[0]["ma_bo"], code.as_str());
    let mut renamed = pupil(10, 3);
    renamed["khoa"] = "0999999999".into();
    assert_eq!(ends(&stand.push(4, &[renamed]).await), [("rejected", "DOI_MA")]);
}

#[tokio::test]
async fn a_pupil_who_comes_back_under_another_record_keeps_the_code() {
    let stand = Stand::new().await;
    stand.push(3, &[class(1, "6A")]).await;
    let before = stand.push(4, &[pupil(10, 1)]).await[0]["ma_bo"].clone();
    let mut cancel = pupil(10, 2);
    cancel["sukien"] = "CANCEL".into();
    let mut back = pupil(11, 1);
    back["du_lieu"]["MA_CONG_DAN_ID"] = pupil(10, 1)["du_lieu"]["MA_CONG_DAN_ID"].clone();
    let verdicts = stand.push(4, &[cancel, back]).await;
    assert_eq!(ends(&verdicts), [("accepted", ""), ("accepted", "")]);
    assert_eq!(verdicts[1]["ma_bo"], before);
}

#[tokio::test]
async fn versions_at_or_below_the_held_one_are_dropped() {
    let stand = Stand::new().await;
    stand.push(3, &[class(1, "6A")]).await;
    stand.push(4, &[pupil(10, 5)]).await;
    let mut newer = pupil(10, 6);
    newer["du_lieu"]["NOI_SINH"] = "Nam Định".into();
    newer["sukien"] = "UPDATE".into();
    let verdicts = stand.push(4, &[pupil(10, 4), pupil(10, 5), newer]).await;
    assert_eq!(ends(&verdicts), [("stale", "PHIEN_BAN_CU"), ("stale", "PHIEN_BAN_CU"), ("accepted", "")]);
    let held = stand.held(4).await;
    assert_eq!((&held[0]["phienban"], &held[0]["du_lieu"]["NOI_SINH"]), (&6.into(), &"Nam Định".into()));
    assert_eq!(verdicts[0]["ma_bo"], held[0]["ma_bo"]);
}

#[tokio::test]
async fn a_cancelled_record_is_gone_but_its_version_stays() {
    let stand = Stand::new().await;
    stand.push(3, &[class(1, "6A"), class(2, "6B")]).await;
    let mut cancel = class(2, "6B");
    cancel["sukien"] = "CANCEL".into();
    cancel["phienban"] = 2.into();
    cancel["du_lieu"] = json!({});
    assert_eq!(ends(&stand.push(3, &[cancel]).await), [("accepted", "")]);
    assert_eq!(stand.held(3).await.len(), 1);
    assert_eq!(ends(&stand.push(3, &[class(2, "6B")]).await), [("stale", "PHIEN_BAN_CU")]);
}

#[tokio::test]
async fn a_repeated_key_gets_the_first_answer() {
    let stand = Stand::new().await;
    let message = batch(3, &[class(1, "6A")]);
    let first = stand.send("goi-1", &message).send().await.unwrap();
    assert!(!first.headers().contains_key("idempotent-replayed"));
    let first = first.text().await.unwrap();
    let second = stand.send("goi-1", &message).send().await.unwrap();
    assert_eq!(second.headers()["idempotent-replayed"], "true");
    assert_eq!(second.text().await.unwrap(), first);

    let other = stand.send("goi-1", &batch(3, &[class(2, "6B")])).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(json_of(other).await["ma_loi"], "KHOA_DA_DUNG");
    let state = stand.state().await;
    assert_eq!((&state["duplicates_suppressed"], &state["records"]["accepted"]), (&1.into(), &1.into()));
}

#[tokio::test]
async fn two_at_once_with_one_key_are_one() {
    let stand = Stand::new().await;
    let message = batch(3, &[class(1, "6A")]);
    let sent = [stand.send("goi-1", &message).send(), stand.send("goi-1", &message).send()];
    let [a, b] = sent.map(tokio::spawn);
    let (a, b) = (a.await.unwrap().unwrap(), b.await.unwrap().unwrap());
    assert_eq!(a.text().await.unwrap(), b.text().await.unwrap());
    assert_eq!(
        stand.state().await["records"],
        json!({
            "accepted": 1, "rejected": 0, "stale": 0, "rejected_by_code": {},
        })
    );
}

#[tokio::test]
async fn frames_that_make_no_sense_are_refused_whole() {
    let stand = Stand::new().await;
    let good = batch(3, &[class(1, "6A")]);
    let with = |field: &str, value: Value| {
        let mut message = good.clone();
        message[field] = value;
        message
    };
    let many: Vec<Value> = (0..501).map(|n| class(n, &format!("L{n}"))).collect();
    let cases = [
        (with("loai", 14.into()), StatusCode::NOT_FOUND, "CHUA_MO"),
        (with("loai", 99.into()), StatusCode::BAD_REQUEST, "LOAI_KHONG_HOP_LE"),
        (with("ma_truong", "abc".into()), StatusCode::BAD_REQUEST, "SAI_MA_TRUONG"),
        (with("nam_hoc", 26.into()), StatusCode::BAD_REQUEST, "SAI_NAM_HOC"),
        (with("ban_ghi", json!([])), StatusCode::BAD_REQUEST, "SAI_SO_BAN_GHI"),
        (with("ban_ghi", Value::Array(many)), StatusCode::BAD_REQUEST, "SAI_SO_BAN_GHI"),
        (with("ban_ghi", json!([{ "idbanghi": 1 }])), StatusCode::BAD_REQUEST, "NOI_DUNG_SAI"),
    ];
    for (n, (message, status, ma_loi)) in cases.into_iter().enumerate() {
        let response = stand.send(&format!("goi-{n}"), &message).send().await.unwrap();
        assert_eq!(
            (response.status(), json_of(response).await["ma_loi"].as_str().unwrap()),
            (status, ma_loi)
        );
    }
    let keyless = stand.http.post(stand.url("/moet/api/TiepNhan")).bearer_auth(&stand.token).json(&good);
    let response = keyless.send().await.unwrap();
    assert_eq!(
        (response.status(), json_of(response).await["ma_loi"].clone()),
        (StatusCode::BAD_REQUEST, "THIEU_KHOA".into())
    );
    assert_eq!(stand.state().await["held"], json!({}));
}

#[tokio::test]
async fn a_pupil_moves_between_schools_under_one_record() {
    let stand = Stand::new().await;
    stand.push(3, &[class(1, "6A")]).await;
    stand.push(4, &[pupil(10, 1)]).await;
    let mut there = class(2, "6A");
    there["du_lieu"]["TRUONG_ID"] = "37000302".into();
    let elsewhere = |loai: u8, record: Value| {
        let mut message = batch(loai, &[record]);
        message["ma_truong"] = "37000302".into();
        message
    };
    stand.send("lop", &elsewhere(3, there)).send().await.unwrap();
    let moved = stand.send("hs", &elsewhere(4, pupil(10, 2))).send().await.unwrap();
    assert_eq!(json_of(moved).await["ket_qua"][0]["trang_thai"], "accepted");
    let held = &stand.state().await["held"];
    assert_eq!((&held[SCHOOL], &held["37000302"]), (&json!({ "3": 1 }), &json!({ "3": 1, "4": 1 })));
    let mut stolen = class(1, "6A");
    stolen["phienban"] = 2.into();
    stolen["du_lieu"]["TRUONG_ID"] = "37000302".into();
    let taken = json_of(stand.send("lop-2", &elsewhere(3, stolen)).send().await.unwrap()).await;
    assert_eq!(taken["ket_qua"][0]["ma_loi"], "SAI_TRUONG");
    assert!(Uuid::parse_str(taken["ma_giao_dich"].as_str().unwrap()).is_ok());
}
