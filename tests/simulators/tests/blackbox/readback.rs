//! Reading back, and code lists.

use reqwest::StatusCode;
use serde_json::Value;

use crate::stand::{SCHOOL, Stand, class, json_of};

#[tokio::test]
async fn pages_give_every_record_once() {
    let stand = Stand::new().await;
    let classes: Vec<Value> = (1..=7).map(|n| class(n, &format!("6-{n}"))).collect();
    stand.push(3, &classes).await;
    let mut seen = Vec::new();
    let mut pages = 0;
    let mut next = Some(String::new());
    while let Some(token) = next {
        let path = format!("/moet/api/DoiSoat?ma_truong={SCHOOL}&loai=3&kich_thuoc=3&trang={token}");
        let page = json_of(stand.get(&path).send().await.unwrap()).await;
        seen.extend(page["ban_ghi"].as_array().unwrap().iter().map(|row| row["khoa"].clone()));
        next = page["trang_sau"].as_str().map(str::to_owned);
        pages += 1;
    }
    let sent: Vec<Value> = classes.iter().map(|c| c["khoa"].clone()).collect();
    assert_eq!((pages, seen), (3, sent));
}

#[tokio::test]
async fn a_full_last_page_has_no_successor() {
    let stand = Stand::new().await;
    stand.push(3, &[class(1, "6A"), class(2, "6B")]).await;
    let path = format!("/moet/api/DoiSoat?ma_truong={SCHOOL}&loai=3&kich_thuoc=2");
    assert_eq!(json_of(stand.get(&path).send().await.unwrap()).await["trang_sau"], Value::Null);
}

#[tokio::test]
async fn a_row_is_what_was_sent() {
    let stand = Stand::new().await;
    stand.push(3, &[class(1, "6A")]).await;
    let held = stand.held(3).await;
    for field in ["idbanghi", "khoa", "phienban", "du_lieu"] {
        assert_eq!(held[0][field], class(1, "6A")[field]);
    }
}

#[tokio::test]
async fn wrong_parameters_and_foreign_page_tokens_are_refused() {
    let stand = Stand::new().await;
    stand.push(3, &[class(1, "6A"), class(2, "6B")]).await;
    let path = format!("/moet/api/DoiSoat?ma_truong={SCHOOL}&loai=3&kich_thuoc=1");
    let page = json_of(stand.get(&path).send().await.unwrap()).await;
    let token = page["trang_sau"].as_str().unwrap();
    let cases = [
        ("loai=3".to_owned(), 400, "THAM_SO_SAI"),
        (format!("ma_truong={SCHOOL}"), 400, "THAM_SO_SAI"),
        (format!("ma_truong={SCHOOL}&loai=3&kich_thuoc=0"), 400, "THAM_SO_SAI"),
        (format!("ma_truong={SCHOOL}&loai=3&kich_thuoc=1001"), 400, "THAM_SO_SAI"),
        (format!("ma_truong={SCHOOL}&loai=4&trang={token}"), 400, "TRANG_SAI"),
        (format!("ma_truong=37000999&loai=3&trang={token}"), 400, "TRANG_SAI"),
        (format!("ma_truong={SCHOOL}&loai=3&trang=a"), 400, "TRANG_SAI"),
        (format!("ma_truong={SCHOOL}&loai=14"), 404, "CHUA_MO"),
    ];
    for (query, status, ma_loi) in cases {
        let response = stand.get(&format!("/moet/api/DoiSoat?{query}")).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{query}");
        assert_eq!(json_of(response).await["ma_loi"], ma_loi, "{query}");
    }
}

#[tokio::test]
async fn code_lists() {
    let stand = Stand::new().await;
    for (list, length) in [("DM_GIOI_TINH", 3), ("DM_DAN_TOC", 55), ("DM_TON_GIAO", 15)] {
        let body =
            json_of(stand.get(&format!("/moet/api/GET_DM?danh_muc={list}")).send().await.unwrap()).await;
        let entries = body["muc"].as_array().unwrap();
        assert_eq!((entries.len(), &body["danh_muc"]), (length, &list.into()));
        assert!(
            entries
                .iter()
                .all(|e| !e["ma"].as_str().unwrap().is_empty() && !e["ten"].as_str().unwrap().is_empty())
        );
    }
    let unknown = stand.get("/moet/api/GET_DM?danh_muc=DM_KHONG_CO").send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}
