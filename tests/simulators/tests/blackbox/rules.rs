//! The Ministry's refusals of single records.

use serde_json::{Value, json};

use crate::stand::{Stand, class, ends, pupil, record};

async fn with_class() -> Stand {
    let stand = Stand::new().await;
    assert_eq!(ends(&stand.push(3, &[class(1, "6A")]).await), [("accepted", "")]);
    stand
}

/// A good pupil with one thing wrong.
fn spoilt(n: u128, symbol: &str, value: Value) -> Value {
    let mut pupil = pupil(n, 1);
    pupil["du_lieu"][symbol] = value;
    pupil
}

#[tokio::test]
async fn classes_go_before_pupils() {
    let stand = Stand::new().await;
    assert_eq!(ends(&stand.push(4, &[pupil(10, 1)]).await), [("rejected", "LOP_CHUA_CO")]);
    stand.push(3, &[class(1, "6A")]).await;
    assert_eq!(ends(&stand.push(4, &[pupil(10, 1)]).await), [("accepted", "")]);
}

#[tokio::test]
async fn one_bad_record_does_not_hold_up_the_others() {
    let stand = with_class().await;
    let cases = [
        (spoilt(10, "HO_TEN", Value::Null), "THIEU_TRUONG"),
        (spoilt(11, "NGAY_SINH", "  ".into()), "THIEU_TRUONG"),
        (spoilt(12, "MA_CONG_DAN_ID", "03731400001".into()), "SAI_MA_DINH_DANH"),
        (spoilt(13, "MA_CONG_DAN_ID", "03731400001x".into()), "SAI_MA_DINH_DANH"),
        (spoilt(14, "MA_GIOI_TINH", 3.into()), "SAI_GIOI_TINH"),
        (spoilt(15, "MA_DAN_TOC", "99".into()), "SAI_DAN_TOC"),
        (spoilt(16, "NGAY_SINH", "2014-02-30".into()), "SAI_NGAY_SINH"),
        (spoilt(17, "TRUONG_ID", "37000999".into()), "SAI_TRUONG"),
        (spoilt(18, "MA_LOP", "6Z".into()), "LOP_CHUA_CO"),
        (pupil(19, 0), "SAI_PHIEN_BAN"),
        (record(20, 1, "hs-10", pupil(20, 1)["du_lieu"].clone()), "SAI_KHOA"),
    ];
    let mut records: Vec<Value> = cases.iter().map(|(record, _)| record.clone()).collect();
    records.push(spoilt(21, "NGAY_SINH", "02/09/2014".into()));
    records.push(spoilt(22, "MA_CONG_DAN_ID", Value::Null));
    let verdicts = stand.push(4, &records).await;
    let mut expected: Vec<(&str, &str)> = cases.iter().map(|(_, ma_loi)| ("rejected", *ma_loi)).collect();
    expected.extend([("accepted", ""), ("accepted", "")]);
    assert_eq!(ends(&verdicts), expected);
    assert!(!verdicts.iter().any(|v| v.to_string().contains("Nguyễn")), "a message names a person");
    assert_eq!(stand.held(4).await.len(), 2);
    assert_eq!(stand.state().await["records"]["rejected_by_code"]["SAI_MA_DINH_DANH"], 2);
}

#[tokio::test]
async fn codes_and_personal_numbers_belong_to_one_record() {
    let stand = with_class().await;
    stand.push(4, &[pupil(10, 1)]).await;
    let number = pupil(10, 1)["du_lieu"]["MA_CONG_DAN_ID"].clone();
    let mut same_key = pupil(12, 1);
    same_key["khoa"] = "TAM-10".into();
    let verdicts = stand.push(4, &[spoilt(11, "MA_CONG_DAN_ID", number), same_key]).await;
    assert_eq!(ends(&verdicts), [("rejected", "TRUNG_DINH_DANH"), ("rejected", "TRUNG_MA")]);
    assert_eq!(ends(&stand.push(3, &[class(2, "6A")]).await), [("rejected", "TRUNG_MA")]);
}

#[tokio::test]
async fn results_need_their_pupil_by_either_code() {
    let stand = with_class().await;
    let result = |n: u128, pupil: &str| {
        record(n, 1, &format!("{pupil}-HK1"), json!({ "HOC_SINH_ID": pupil, "MA_LOP": "6A", "HOC_KY": 1 }))
    };
    assert_eq!(ends(&stand.push(51, &[result(20, "TAM-10")]).await), [("rejected", "HOC_SINH_CHUA_CO")]);
    let code = stand.push(4, &[pupil(10, 1)]).await[0]["ma_bo"].as_str().unwrap().to_owned();
    let verdicts = stand.push(51, &[result(20, "TAM-10"), result(21, &code)]).await;
    assert_eq!(ends(&verdicts), [("accepted", ""), ("accepted", "")]);
}

#[tokio::test]
async fn cancelling_needs_something_to_cancel_and_an_empty_class() {
    let stand = with_class().await;
    stand.push(4, &[pupil(10, 1)]).await;
    let cancel = |mut record: Value| {
        record["sukien"] = "CANCEL".into();
        record["phienban"] = 2.into();
        record
    };
    let verdicts = stand.push(3, &[cancel(class(9, "6X")), cancel(class(1, "6A"))]).await;
    assert_eq!(ends(&verdicts), [("rejected", "KHONG_CO_DE_HUY"), ("rejected", "LOP_CON_HOC_SINH")]);
    stand.push(4, &[cancel(pupil(10, 1))]).await;
    assert_eq!(ends(&stand.push(3, &[cancel(class(1, "6A"))]).await), [("accepted", "")]);
}
