//! The access log as an operator finds it in the services' logs: who read which school's data, and how much; and nobody's data.
use crate::cast::Department;
use crate::ground::{Actor, Data, Ground, wait_for};
use crate::journey::{approve, push, submit};
use crate::traces::{names_nobody, persons};
use eduhub_cli::hub::{Followed, Registry, Watched};
use eduhub_proto::common::v1::{
    BatchGetRecordsRequest, Dataset, GetRecordRequest, Kind, ListRecordsRequest, RecordName,
    SearchRecordsRequest, WatchRequest,
};
use eduhub_proto::identity::v1::{ListPrincipalsRequest, principal_service_client::PrincipalServiceClient};
use eduhub_proto::registry::v1::record_service_client::RecordServiceClient;
use eduhub_stack::Program;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use tonic::Code;

const RECORDS: &str = "eduhub.registry.v1.RecordService";
const WATCH: &str = "eduhub.registry.v1.FeedService/Watch";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_read_of_personal_data_is_told_and_tells_nobodys() {
    let dir = tempfile::tempdir().unwrap();
    let data = Data::generate(dir.path().join("data"));
    let persons = persons(&data);
    // Evidence leaves at every level of the log; where it is turned off, it is off.
    let ground = Ground::start(dir.path(), data, |config| {
        config.with_env(Program::Registry, "EDUHUB_LOG", "error").with_env(
            Program::Identity,
            "EDUHUB_ACCESS_LOG",
            "off",
        )
    })
    .await;
    let department = Department::open(&ground).await.unwrap();
    let (school, other) = (ground.school(0), ground.school(1));
    let officer = department.officer_of(school).await.unwrap();
    let client = department.vendor_of(&officer, school).await.unwrap();
    let vendor = ground.sign_in(client.proof()).await.unwrap();
    push::<Registry>(&ground, &vendor, school).await.unwrap();

    let (listed, searched) = read(&officer, &school.school_code).await;
    refused(&vendor, &other.school_code).await;
    let followed = follow(&ground, &department).await;
    let sealed = submit(&ground, &officer, school, Dataset::Pupils).await.unwrap();
    let (_, keys) = approve(&department, sealed).await.unwrap();
    let mut accounts = PrincipalServiceClient::new(department.admin.at(Program::Identity));
    accounts.list_principals(ListPrincipalsRequest::default()).await.unwrap();

    // The line of a stream comes when the server has seen its end.
    let lines = wait_for("the end of the watch", Duration::from_secs(20), || async {
        let lines = lines(&ground, Program::Registry);
        Ok(lines.iter().any(|line| told(line, WATCH, "end")).then_some(lines))
    })
    .await;
    let of = |rpc: &str, phase| only(&lines, &format!("{RECORDS}/{rpc}"), phase);
    let code = school.school_code.as_str();
    let (get, many, list, search) = (
        of("GetRecord", "read"),
        of("BatchGetRecords", "read"),
        of("ListRecords", "read"),
        of("SearchRecords", "read"),
    );
    for (line, records) in [(get, 1), (many, 2), (list, listed), (search, searched)] {
        is(
            line,
            &[("outcome", "OK"), ("schools", code), ("kinds", "KIND_PUPIL"), ("role", "school_officer")],
        );
        assert_eq!(line["records"], records, "{line}");
        assert_eq!(line["principal"], get["principal"], "{line}");
        assert!(line["trace_id"].as_str().is_some_and(|id| id.len() == 32), "{line}");
        assert!(line.get("grant").is_none(), "an officer has no grant: {line}");
    }
    // Of a school out of reach the log says no more than the caller was told.
    let wrong = of("GetHistory", "read");
    is(wrong, &[("outcome", "NOT_FOUND"), ("role", "vendor"), ("grant", &client.grant_id), ("scope", code)]);
    assert!(wrong.get("schools").is_none() && !wrong.to_string().contains(&other.school_code), "{wrong}");

    streamed(&lines, code, followed);
    reviewed(&lines, keys.len() as u64);
    assert_eq!(self::lines(&ground, Program::Identity).len(), 0, "it was turned off there");
    let text: String = lines.iter().map(Value::to_string).collect();
    names_nobody("the access log", &text, &persons);
    ground.stop().await;
}

/// A watch has two lines: it began, and it ended after so many changes.
fn streamed(lines: &[Value], code: &str, followed: u64) {
    let (open, end) = (only(lines, WATCH, "open"), only(lines, WATCH, "end"));
    is(open, &[("role", "consumer"), ("scope", "province")]);
    assert!(open.get("records").is_none(), "{open}");
    is(end, &[("outcome", "CANCELLED"), ("schools", code)]);
    assert_eq!(end["records"], followed, "{end}");
    assert_eq!((&end["token"], &end["trace_id"]), (&open["token"], &open["trace_id"]));
}

/// Reviewers read as many records as there are keys, and name the seal.
fn reviewed(lines: &[Value], keys: u64) {
    let sealed: u64 = all(lines, "eduhub.registry.v1.SealService/ListSealed", "read")
        .inspect(|line| assert!(line["about"].as_str().unwrap().starts_with("seal:"), "{line}"))
        .map(|line| line["records"].as_u64().unwrap())
        .sum();
    assert!(sealed >= keys, "{sealed} of {keys}");
}

/// One record, two, a page and a search; gives how many pupils the last two showed.
async fn read(officer: &Actor, school_code: &str) -> (u64, u64) {
    let mut records = RecordServiceClient::new(officer.at(Program::Registry));
    let (school_code, kind) = (school_code.to_owned(), Kind::Pupil as i32);
    let list =
        ListRecordsRequest { school_code: school_code.clone(), kind, page_size: 20, ..Default::default() };
    let page = records.list_records(list).await.unwrap().into_inner().records;
    let keys: Vec<String> = page.iter().map(|r| r.header.as_ref().unwrap().record_key.clone()).collect();
    let get = GetRecordRequest {
        school_code: school_code.clone(),
        kind,
        record_key: keys[0].clone(),
        ..Default::default()
    };
    records.get_record(get).await.unwrap();
    let names = keys[..2].iter().map(|key| RecordName { kind, record_key: key.clone() }).collect();
    let many = BatchGetRecordsRequest { school_code, names, ..Default::default() };
    assert_eq!(records.batch_get_records(many).await.unwrap().into_inner().records.len(), 2);
    let search = SearchRecordsRequest { kind, name: "nguyen".into(), limit: 100, ..Default::default() };
    let found = records.search_records(search).await.unwrap().into_inner().records.len();
    assert!(found > 0, "nobody of that name");
    (keys.len() as u64, found as u64)
}

/// A school that is not the vendor's.
async fn refused(vendor: &Actor, school_code: &str) {
    let mut records = RecordServiceClient::new(vendor.at(Program::Registry));
    let request = eduhub_proto::common::v1::GetRecordHistoryRequest {
        school_code: school_code.to_owned(),
        kind: Kind::Pupil as i32,
        record_key: "HS1".into(),
        ..Default::default()
    };
    assert_eq!(records.get_history(request).await.unwrap_err().code(), Code::NotFound);
}

/// A consumer reads the province's feed up to where it is live and goes away; gives the number of changes it got.
async fn follow(ground: &Ground, department: &Department) -> u64 {
    let consumer = ground.sign_in(department.consumer().await.unwrap().proof()).await.unwrap();
    let mut watch = Registry::watch(consumer.at(Program::Registry), WatchRequest::default()).await.unwrap();
    let mut followed = 0;
    loop {
        match Registry::watched(watch.message().await.unwrap().expect("the feed ended")) {
            Watched::Changes(changes, _) => followed += changes.len() as u64,
            Watched::Checkpoint(checkpoint) if checkpoint.live => return followed,
            _ => {}
        }
    }
}

/// The access log of a service.
fn lines(ground: &Ground, program: Program) -> Vec<Value> {
    let text = std::fs::read_to_string(ground.stack.log(program)).unwrap();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["target"] == "eduhub::access").collect()
}

fn told(line: &Value, rpc: &str, phase: &str) -> bool {
    line["rpc"] == rpc && line["phase"] == phase
}

fn all<'a>(lines: &'a [Value], rpc: &str, phase: &str) -> impl Iterator<Item = &'a Value> {
    lines.iter().filter(move |line| told(line, rpc, phase))
}

fn only<'a>(lines: &'a [Value], rpc: &str, phase: &str) -> &'a Value {
    let found: Vec<&Value> = all(lines, rpc, phase).collect();
    let rpcs: BTreeSet<&str> = lines.iter().filter_map(|line| line["rpc"].as_str()).collect();
    assert_eq!(found.len(), 1, "{rpc} {phase} among {rpcs:?}");
    found[0]
}

fn is(line: &Value, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(line[name], *value, "{name} in {line}");
    }
}
