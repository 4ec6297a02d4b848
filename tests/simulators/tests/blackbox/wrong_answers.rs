//! Records treated wrongly, and the truth about them.

use serde_json::{Value, json};

use crate::stand::{SCHOOL, Stand, class, ends, pupil};

async fn with_plan(records: Value) -> Stand {
    let stand = Stand::new().await;
    stand.push(3, &[class(1, "6A")]).await;
    stand.plan(&json!({ "seed": 3, "records": records })).await;
    stand
}

fn khoa(records: &Value) -> Vec<&str> {
    records.as_array().unwrap().iter().map(|r| r["khoa"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_named_record_is_rejected_as_often_as_asked() {
    let stand = with_plan(json!({ "reject": [
        { "khoa": "TAM-10" }, { "khoa": "TAM-11", "ma_loi": "E777", "times": 1 },
    ] }))
    .await;
    let first = stand.push(4, &[pupil(10, 1), pupil(11, 1), pupil(12, 1)]).await;
    assert_eq!(ends(&first), [("rejected", "E505"), ("rejected", "E777"), ("accepted", "")]);
    let second = stand.push(4, &[pupil(10, 2), pupil(11, 2)]).await;
    assert_eq!(ends(&second), [("rejected", "E505"), ("accepted", "")]);
    let rejected = &stand.state().await["on_purpose"]["rejected"];
    assert_eq!(khoa(rejected), ["TAM-10", "TAM-11", "TAM-10"]);
    assert_eq!((&rejected[0]["still_wrong"], &rejected[1]["still_wrong"]), (&true.into(), &false.into()));
}

#[tokio::test]
async fn an_altered_record_is_accepted_and_differs_in_one_field() {
    let stand = with_plan(json!({ "alter": [
        { "khoa": "TAM-10", "symbol": "HO_TEN", "value": "Nguyễn Thị Hoa" }, { "khoa": "TAM-11" },
    ] }))
    .await;
    let verdicts = stand.push(4, &[pupil(10, 1), pupil(11, 1)]).await;
    assert_eq!(ends(&verdicts), [("accepted", ""), ("accepted", "")]);
    let held = stand.held(4).await;
    assert_eq!(held[0]["du_lieu"]["HO_TEN"], "Nguyễn Thị Hoa");
    let altered = stand.state().await["on_purpose"]["altered"].clone();
    for (n, row) in held.iter().enumerate() {
        let sent = pupil(10 + n as u128, 1);
        let (sent, stored) = (sent["du_lieu"].as_object().unwrap(), row["du_lieu"].as_object().unwrap());
        let differing: Vec<&String> = sent.keys().filter(|symbol| sent[*symbol] != stored[*symbol]).collect();
        assert_eq!(differing, [altered[n]["symbol"].as_str().unwrap()]);
        assert_eq!(altered[n]["sent"], sent[differing[0]]);
        assert_eq!(altered[n]["stored"], stored[differing[0]]);
    }
    stand.push(4, &[pupil(10, 2)]).await;
    assert_eq!(stand.held(4).await[0]["du_lieu"], pupil(10, 2)["du_lieu"]);
    let altered = stand.state().await["on_purpose"]["altered"].clone();
    assert_eq!((&altered[0]["still_wrong"], &altered[1]["still_wrong"]), (&false.into(), &true.into()));
}

#[tokio::test]
async fn a_forgotten_record_is_accepted_and_missing_until_sent_again() {
    let stand = with_plan(json!({ "forget": [{ "khoa": "TAM-10" }] })).await;
    let first = stand.push(4, &[pupil(10, 1), pupil(11, 1)]).await;
    assert_eq!(ends(&first), [("accepted", ""), ("accepted", "")]);
    assert_eq!(stand.held(4).await.len(), 1);
    assert_eq!(stand.state().await["on_purpose"]["forgotten"][0]["still_wrong"], true);
    let again = stand.push(4, &[pupil(10, 1)]).await;
    assert_eq!((again[0]["trang_thai"].as_str(), &again[0]["ma_bo"]), (Some("accepted"), &first[0]["ma_bo"]));
    assert_eq!(stand.held(4).await.len(), 2);
    assert_eq!(stand.state().await["on_purpose"]["forgotten"][0]["still_wrong"], false);
}

#[tokio::test]
async fn ghosts_are_held_though_nobody_sent_them() {
    let ghost = json!({ "ma_truong": SCHOOL, "loai": 4, "nam_hoc": 2026, "khoa": "0142000001", "du_lieu": { "HO_TEN": "Ma" } });
    let stand = with_plan(json!({ "ghosts": [ghost], "probability": { "ghost": 1.0 }, "loai": [4] })).await;
    assert_eq!(ends(&stand.push(4, &[pupil(10, 1)]).await), [("accepted", "")]);
    let mut held: Vec<Value> = stand.held(4).await.iter().map(|row| row["khoa"].clone()).collect();
    held.sort_by_key(|khoa| khoa.to_string());
    assert_eq!(held, ["0142000001", "GHOST-TAM-10", "TAM-10"]);
    let ghosts = stand.state().await["on_purpose"]["ghosts"].clone();
    assert_eq!(khoa(&ghosts), ["0142000001", "GHOST-TAM-10"]);
    // The ghost must not stand in the way of the real record's next version.
    assert_eq!(ends(&stand.push(4, &[pupil(10, 2)]).await), [("accepted", "")]);
}

#[tokio::test]
async fn shares_spoil_the_same_records_however_they_are_batched() {
    let mut truths = Vec::new();
    for size in [100, 7] {
        let shares = json!({ "reject": 0.05, "alter": 0.05, "forget": 0.05, "ghost": 0.05 });
        let stand = with_plan(json!({ "probability": shares, "loai": [4] })).await;
        let pupils: Vec<Value> = (100..400).map(|n| pupil(n, 1)).collect();
        for part in pupils.chunks(size) {
            stand.push(4, part).await;
        }
        let state = stand.state().await;
        let truth = state["on_purpose"].clone();
        let count = |kind: &str| truth[kind].as_array().unwrap().len();
        assert!(
            ["rejected", "altered", "forgotten", "ghosts"].iter().all(|k| (5..30).contains(&count(k))),
            "{truth}"
        );
        let expected = 300 - count("rejected") - count("forgotten") + count("ghosts");
        assert_eq!(stand.held(4).await.len(), expected);
        assert_eq!(state["records"]["rejected"], count("rejected"));
        truths.push(truth);
    }
    assert_eq!(truths[0], truths[1]);
}
