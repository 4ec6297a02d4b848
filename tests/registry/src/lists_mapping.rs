//! Mapping tables of vendors: set in versions, used by a push that asks for them, and by none other.
use crate::{
    hub::{Hub, SCHOOL, SOON},
    lists::until,
    make::{self, Wrap},
    pushing::{Pushing, batch, end_of, findings, patch, push, refusal},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{BatchReply, CodeMappingUse, GetRecordRequest, Kind, PushOpen},
    registry::v1::{
        CodeMapping, CodeMappingEntry, ListCodeMappingsRequest, Pupil, Record, SetCodeMappingRequest, record,
    },
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Thái Nguyên's front-end says 1 for male and 0 for female (domain facts D.1).
const SEX: &[(&str, &str)] = &[("1", "1"), ("0", "2")];

fn table(list: &str, entries: &[(&str, &str)]) -> SetCodeMappingRequest {
    let entry =
        |(value, code): &(&str, &str)| CodeMappingEntry { value: (*value).into(), code: (*code).into() };
    SetCodeMappingRequest {
        vendor_code: "SMAS".into(),
        list: list.into(),
        entries: entries.iter().map(entry).collect(),
        note: "theo phụ lục hợp đồng".into(),
    }
}

async fn set(hub: &Hub, request: SetCodeMappingRequest) -> CodeMapping {
    hub.codes(&Persona::admin()).set_code_mapping(request).await.unwrap().into_inner()
}

fn translated(version: i64) -> PushOpen {
    let code_mapping = Some(CodeMappingUse { vendor_code: "SMAS".into(), version });
    PushOpen { code_mapping, ..patch(SCHOOL) }
}

fn girl(sex: &str) -> Pupil {
    Pupil { sex: sex.into(), ..make::pupil(1) }
}

async fn pushed(hub: &Hub, open: PushOpen, pupil: Pupil) -> Result<BatchReply, Status> {
    let batches = vec![batch(1, vec![pupil.wrap()])];
    Ok(push(hub, &Persona::vendor(SCHOOL), open, batches).await?.0.remove(0))
}

/// The version is taken by this process within a second; the push before that is refused.
async fn known_here(hub: &Hub, version: i64) {
    until("the table is not known", async || {
        let opened = Pushing::open(hub.ingest(&Persona::vendor(SCHOOL)), translated(version)).await;
        opened.is_ok()
    })
    .await;
}

async fn stored_sex(hub: &Hub) -> String {
    let request = GetRecordRequest {
        school_code: SCHOOL.into(),
        kind: Kind::Pupil as i32,
        record_key: make::code(1),
        ..Default::default()
    };
    let change = hub.records(&Persona::vendor(SCHOOL)).get_record(request).await.unwrap().into_inner();
    match change.record.unwrap().record.unwrap() {
        record::Record::Pupil(pupil) => pupil.sex,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_push_that_names_the_tables_is_translated_and_told_so() {
    let hub = Hub::start().await;
    let made = set(&hub, table("DM_GIOI_TINH", SEX)).await;
    known_here(&hub, made.vendor_version).await;
    let batches = vec![batch(1, vec![girl("0").wrap()])];
    let open = translated(made.vendor_version);
    let (mut pushing, _) = Pushing::open(hub.ingest(&Persona::vendor(SCHOOL)), open).await.unwrap();
    let reply = pushing.batch(batches[0].clone()).await.unwrap();
    assert_eq!((reply.counts.unwrap().created, reply.counts.unwrap().translated), (1, 1));
    // The digest of the session is over what was sent, and the receipt counts the translations.
    let receipt = pushing.end(end_of(&batches)).await.unwrap();
    assert_eq!(receipt.totals.unwrap().translated, 1);
    assert_eq!(stored_sex(&hub).await, "2");
    // The hub's own codes from the same vendor, without tables: the same record.
    let reply = pushed(&hub, patch(SCHOOL), girl("2")).await.unwrap();
    assert_eq!((reply.counts.unwrap().unchanged, reply.counts.unwrap().translated), (1, 0));
}

#[tokio::test]
async fn a_value_out_of_the_table_is_refused_though_it_looks_like_a_code() {
    let hub = Hub::start().await;
    let made = set(&hub, table("DM_GIOI_TINH", SEX)).await;
    known_here(&hub, made.vendor_version).await;
    let reply = pushed(&hub, translated(made.vendor_version), girl("2")).await.unwrap();
    assert_eq!(findings(&reply), [(Reason::UnknownCode, "sex".to_owned())]);
    assert_eq!((reply.problems[0].index, reply.problems[0].value.as_str()), (Some(0), "2"));
    assert_eq!(reply.problems[0].record_key, make::code(1));
}

#[tokio::test]
async fn nobodys_values_get_another_meaning_unseen() {
    let hub = Hub::start().await;
    let first = set(&hub, table("DM_GIOI_TINH", SEX)).await;
    known_here(&hub, first.vendor_version).await;
    assert_eq!(
        set(&hub, table("DM_GIOI_TINH", SEX)).await.version,
        first.version,
        "the same table is no version"
    );
    let second = set(&hub, table("DM_GIOI_TINH", &[("M", "1"), ("F", "2")])).await;
    known_here(&hub, second.vendor_version).await;
    let old = pushed(&hub, translated(first.vendor_version), girl("0")).await;
    assert_eq!(refusal(old), (Code::FailedPrecondition, Reason::CodeMappingChanged));
    assert_eq!(
        pushed(&hub, translated(second.vendor_version), girl("F")).await.unwrap().counts.unwrap().translated,
        1
    );
    let other = PushOpen {
        code_mapping: Some(CodeMappingUse { vendor_code: "VNEDU".into(), version: second.version }),
        ..patch(SCHOOL)
    };
    assert_eq!(
        refusal(pushed(&hub, other, girl("F")).await),
        (Code::InvalidArgument, Reason::InvalidRequest)
    );
    // Both versions can be read.
    let read = async |version: i64| {
        let request = ListCodeMappingsRequest { vendor_code: "SMAS".into(), version, ..Default::default() };
        let mut tables = hub
            .codes(&Persona::vendor(SCHOOL))
            .list_code_mappings(request)
            .await
            .unwrap()
            .into_inner()
            .mappings;
        assert_eq!(tables.len(), 1);
        tables.remove(0)
    };
    assert_eq!(read(0).await, second);
    assert_eq!(read(first.version).await.entries, first.entries);
}

#[tokio::test]
async fn a_record_that_waited_is_not_translated_twice() {
    let hub = Hub::start().await;
    // A table that is no identity on the hub's own codes: twice through it is back where it was.
    let made = set(&hub, table("DM_KHOI", &[("6", "7"), ("7", "6")])).await;
    known_here(&hub, made.vendor_version).await;
    let open = || translated(made.vendor_version);
    let send = async |records: Vec<Record>| {
        let (mut replies, _) =
            push(&hub, &Persona::vendor(SCHOOL), open(), vec![batch(1, records)]).await.unwrap();
        replies.remove(0)
    };
    let reply = send(vec![make::class("6A1").wrap()]).await;
    assert_eq!((reply.counts.unwrap().held, reply.counts.unwrap().translated), (1, 1));
    let reply = send(vec![make::campus().wrap()]).await;
    assert_eq!((reply.counts.unwrap().admitted, reply.counts.unwrap().translated), (1, 0));
    let grade: String =
        sqlx::query_scalar("select grade from class_record").fetch_one(&hub.pool).await.unwrap();
    assert_eq!(grade, "7");
}

#[tokio::test]
async fn a_table_with_mistakes_is_refused_with_all_of_them() {
    let hub = Hub::start().await;
    let bad = table("DM_GIOI_TINH", &[("0", "9"), ("0", "2"), ("", "1")]);
    let status = hub.codes(&Persona::admin()).set_code_mapping(bad).await.unwrap_err();
    let fields: Vec<_> =
        status.get_details_bad_request().unwrap().field_violations.into_iter().map(|v| v.field).collect();
    assert_eq!(fields, ["entries[0].code", "entries[1].value", "entries[2].value"]);
    // Taking away what is not there changes nothing.
    let none = tokio::time::timeout(SOON, set(&hub, table("DM_KHU_VUC", &[]))).await.unwrap();
    assert_eq!(none.version, 0);
}
