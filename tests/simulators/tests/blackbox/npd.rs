//! The population database.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::stand::{NPD_KEY, Stand, config, json_of};

const PEOPLE: &str = r#"{"so_dinh_danh":"037314000001","ho_ten":"Nguyễn Thị Hòa","ngay_sinh":"2014-09-02","gioi_tinh":2}
{"so_dinh_danh":"037214000002","ho_ten":"Trần Văn An","ngay_sinh":"2014-01-31","gioi_tinh":"1"}
"#;

async fn load(stand: &Stand, lines: &'static str) -> Response {
    stand.http.post(stand.url("/control/npd/load")).body(lines).send().await.unwrap()
}

async fn populated() -> Stand {
    let stand = Stand::new().await;
    assert_eq!(json_of(load(&stand, PEOPLE).await).await, json!({ "loaded": 2, "population": 2 }));
    stand
}

fn question(ma: &str, number: &str, name: &str, born: &str, sex: u8) -> Value {
    json!({ "ma": ma, "so_dinh_danh": number, "ho_ten": name, "ngay_sinh": born, "gioi_tinh": sex })
}

async fn ask(stand: &Stand, questions: &[Value]) -> Response {
    let request = stand.http.post(stand.url("/npd/xac-thuc")).header("X-API-Key", NPD_KEY);
    request.json(&json!({ "yeu_cau": questions })).send().await.unwrap()
}

#[tokio::test]
async fn persons_match_mismatch_or_are_unknown() {
    let stand = populated().await;
    let hoa = "037314000001";
    let questions = [
        question("a", hoa, "Nguyễn Thị Hòa", "2014-09-02", 2),
        question("b", hoa, "  NGUYỄN  thị ho\u{300}a ", "2014-09-02", 0),
        question("c", hoa, "Nguyễn Thị Hoa", "2014-09-03", 1),
        question("d", "037214000002", "Trần Văn An", "2014-01-31", 2),
        question("e", "037214000003", "Trần Văn An", "2014-01-31", 1),
    ];
    let body = json_of(ask(&stand, &questions).await).await;
    assert_eq!(
        body,
        json!({ "ket_qua": [
        { "ma": "a", "ket_qua": "MATCH", "truong_lech": [] },
        { "ma": "b", "ket_qua": "MATCH", "truong_lech": [] },
        { "ma": "c", "ket_qua": "MISMATCH", "truong_lech": ["HO_TEN", "NGAY_SINH", "GIOI_TINH"] },
        { "ma": "d", "ket_qua": "MISMATCH", "truong_lech": ["GIOI_TINH"] },
        { "ma": "e", "ket_qua": "NOT_FOUND", "truong_lech": [] },
    ] })
    );
    let verdicts = &stand.state().await["npd"]["verdicts"];
    assert_eq!(verdicts, &json!({ "matched": 2, "mismatched": 2, "not_found": 1 }));
}

#[tokio::test]
async fn a_call_needs_the_key_and_one_to_a_hundred_persons() {
    let stand = populated().await;
    let one = question("a", "037314000001", "Nguyễn Thị Hòa", "2014-09-02", 2);
    for key in [None, Some("sai")] {
        let mut request = stand.http.post(stand.url("/npd/xac-thuc")).json(&json!({ "yeu_cau": [one] }));
        if let Some(key) = key {
            request = request.header("X-API-Key", key);
        }
        assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(ask(&stand, &vec![one.clone(); 100]).await.status(), StatusCode::OK);
    for wrong in [vec![one.clone(); 101], Vec::new()] {
        let response = ask(&stand, &wrong).await;
        assert_eq!(
            (response.status(), json_of(response).await["ma_loi"].clone()),
            (StatusCode::BAD_REQUEST, "SAI_SO_YEU_CAU".into())
        );
    }
    let mut dateless = one;
    dateless["ngay_sinh"] = "02/09/2014".into();
    assert_eq!(ask(&stand, &[dateless]).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_wrong_line_loads_nobody_and_is_not_quoted() {
    let stand = Stand::new().await;
    let lines = "{\"so_dinh_danh\":\"037314000001\",\"ho_ten\":\"Hòa\",\"ngay_sinh\":\"2014-09-02\",\"gioi_tinh\":2}\n\
                 {\"so_dinh_danh\":\"03731400000\",\"ho_ten\":\"An\",\"ngay_sinh\":\"2014-09-02\",\"gioi_tinh\":1}\n";
    let response = load(&stand, lines).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json_of(response).await["error"], "line 2: so_dinh_danh must be 12 digits");
    assert_eq!(stand.state().await["npd"]["population"], 0);
}

#[tokio::test]
async fn the_population_can_come_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), PEOPLE).unwrap();
    let mut config = config();
    config.population = Some(file.path().to_owned());
    let stand = Stand::with(config.clone()).await;
    assert_eq!(stand.state().await["npd"]["population"], 2);
    std::fs::write(file.path(), "{}\n").unwrap();
    assert!(eduhub_simulators::start(config).await.is_err());
}
