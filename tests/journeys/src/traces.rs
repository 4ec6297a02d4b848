//! One trace covers a record's whole way, and tells nothing of any person.
use crate::cast::Department;
use crate::collector::{Collector, Trace};
use crate::ground::{Data, Ground};
use crate::journey::{approve, push, submit, verified};
use crate::metrics::{Shown, shown};
use crate::ministry::transfer;
use eduhub_cli::hub::{Facility, Registry};
use eduhub_proto::common::v1::{Dataset, PushCounts, PushReceipt};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

const BRIDGE: &str = "eduhub-ministry-bridge";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_leads_from_the_push_to_the_ministry_and_names_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let (collector, endpoint) = Collector::start().await;
    let data = Data::generate(dir.path().join("data"));
    let persons = persons(&data);
    let ground = Ground::start(dir.path(), data, |mut config| {
        config.otlp_endpoint = Some(endpoint);
        shown(config)
    })
    .await;
    let (receipts, grant) = walk(&ground).await;
    let shown = measured(&ground, &receipts).await;
    for secret in ground.data.province.schools.iter().map(|school| &school.school_code).chain([&grant]) {
        assert!(!shown.text.contains(secret.as_str()), "a school or grant is on a metric");
    }
    let logs = ground.stack.logs();
    // The end of a service sends its last spans.
    ground.stop().await;

    let way = collector.trace_of("eduhub-registry", "eduhub.registry.v1.IngestService/Push");
    for service in ["eduhub-registry", "eduhub-identity", "eduhub-approval", BRIDGE] {
        assert!(way.services().contains(service), "no span of {service} in the trace:{}", way.story());
    }
    let verify = "eduhub.identity.v1.VerificationService/VerifyPersons";
    assert!(way.names_of("eduhub-identity").contains(verify), "{}", way.story());
    assert_eq!(calls_to_the_ministry(&way, "POST"), 1, "{}", way.story());
    whole(&way, "eduhub-registry eduhub.registry.v1.IngestService/Push");

    let way = collector.trace_of("eduhub-facility", "eduhub.facility.v1.IngestService/Push");
    for service in ["eduhub-facility", "eduhub-approval", BRIDGE] {
        assert!(way.services().contains(service), "no span of {service} in the trace:{}", way.story());
    }
    // What has no Ministry API makes no call.
    assert_eq!(calls_to_the_ministry(&way, "POST"), 0, "{}", way.story());
    whole(&way, "eduhub-facility eduhub.facility.v1.IngestService/Push");

    assert_eq!(collector.counts().len(), 5, "{:?}", collector.counts());
    let told = collector.text();
    assert!(told.len() > 10_000, "only {} bytes of telemetry", told.len());
    names_nobody("telemetry", &told, &persons);
    names_nobody("metrics", &shown.text, &persons);
    // Evidence leaves by the collector, too.
    assert!(told.contains("eduhub::access") && told.contains("SealService/ListSealed"), "no access log");
    let (records, inside) = collector.records();
    assert!(inside > 0 && records > inside, "{records} log records, {inside} inside of a trace");
    for log in std::fs::read_dir(logs).unwrap() {
        let path = log.unwrap().path();
        names_nobody(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap(), &persons);
    }
}

/// Figures that must agree with what happened; gives all that is shown.
async fn measured(ground: &Ground, receipts: &[PushReceipt]) -> Shown {
    let total =
        |of: fn(&PushCounts) -> u64| receipts.iter().filter_map(|r| r.totals.as_ref()).map(of).sum::<u64>();
    let counts = [
        ("created", total(|c| c.created)),
        ("updated", total(|c| c.updated)),
        ("unchanged", total(|c| c.unchanged)),
        ("rejected", total(|c| c.rejected)),
        ("held", total(|c| c.held)),
        ("admitted", total(|c| c.admitted)),
        ("withdrawn", total(|c| c.withdrawn)),
    ];
    assert!(counts[0].1 > 100 && counts[3].1 > 0, "{counts:?}");
    for (outcome, records) in counts {
        let labels = [("outcome", outcome)];
        Shown::wait(ground, "eduhub_ingest_records_total", &labels, records as f64).await;
    }
    let push = [("rpc_method", "eduhub.registry.v1.IngestService/Push"), ("rpc_response_status_code", "OK")];
    Shown::wait(ground, "rpc_server_call_duration_seconds_count", &push, 1.0).await;
    Shown::wait(ground, "eduhub_registry_schools", &[], 3.0).await;
    Shown::wait(ground, "eduhub_identity_grants", &[("kind", "vendor"), ("ends", "later")], 1.0).await;
    Shown::wait(ground, "eduhub_verification_backlog", &[], 0.0).await;
    Shown::wait(ground, "eduhub_approval_submissions", &[], 2.0).await;
    Shown::wait(ground, "eduhub_ingest_sessions_open", &[], 0.0).await;
    Shown::wait(ground, "eduhub_bridge_ledger_records", &[], 0.0).await;
    // Of these the first comes with the first batch of spans that a service sends.
    Shown::wait_for_any(ground, "otel_sdk_exporter_span_exported_total").await;
    let shown = Shown::fetch(ground).await.unwrap();
    assert!(shown.sum("eduhub_bridge_records_settled_total", &[("outcome", "ACCEPTED")]) > 0.0);
    assert!(shown.sum("db_client_connection_max", &[]) > 0.0);
    // What a good day without a consumer does not show.
    let quiet = [
        "eduhub_identity_key_age_seconds",
        "eduhub_approval_review_age_seconds",
        "eduhub_feed_delivery_delay_seconds",
        "eduhub_feed_streams",
        "eduhub_feed_subscription_lag_seconds",
        "eduhub_reads_records_total",
        "eduhub_rpc_server_refused_total",
    ];
    let missing: Vec<_> = shown.missing().into_iter().filter(|name| !quiet.contains(name)).collect();
    assert_eq!(missing, [""; 0], "metrics of the table that nobody shows");
    shown
}

/// Pupils and rooms of one school, from its vendor to the Ministry; gives the receipts and the vendor's grant.
async fn walk(ground: &Ground) -> (Vec<PushReceipt>, String) {
    let department = Department::open(ground).await.unwrap();
    let school = ground.school(0);
    let officer = department.officer_of(school).await.unwrap();
    let client = department.vendor_of(&officer, school).await.unwrap();
    let vendor = ground.sign_in(client.proof()).await.unwrap();
    let (pupils, _) = push::<Registry>(ground, &vendor, school).await.unwrap();
    let (rooms, _) = push::<Facility>(ground, &vendor, school).await.unwrap();
    verified(&officer, school).await;
    for dataset in [Dataset::Pupils, Dataset::Facilities] {
        let submission = submit(ground, &officer, school, dataset).await.unwrap();
        let (approved, _) = approve(&department, submission).await.unwrap();
        transfer(&officer, &approved).await.unwrap();
    }
    (vec![pupils, rooms], client.grant_id)
}

/// Whether the Ministry was called at all (0 or 1): in how many batches is no matter here.
fn calls_to_the_ministry(way: &Trace, method: &str) -> usize {
    let name = format!("{method} /moet/api/TiepNhan");
    usize::from(way.calls_of(BRIDGE).iter().any(|span| span.name == name))
}

/// A tree with one root: nothing of the way hangs on a span that was never there.
fn whole(way: &Trace, root: &str) {
    assert_eq!(way.roots(), [root], "{}", way.story());
    assert_eq!(way.orphans(), [""; 0], "{}", way.story());
}

/// Names, ID numbers, telephones and birth places of everybody in the generated files.
pub fn persons(data: &Data) -> BTreeSet<String> {
    const FIELDS: [&str; 7] =
        ["full_name", "personal_id", "father_name", "mother_name", "guardian_name", "contact_phone", "phone"];
    let school = &data.province.schools[0];
    let mut found = BTreeSet::new();
    for line in std::fs::read_to_string(data.file(school, "registry.jsonl")).unwrap().lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let Some(Value::Object(fields)) = record.as_object().and_then(|r| r.values().next()) else {
            continue;
        };
        let told = FIELDS.iter().filter_map(|name| fields.get(*name)?.as_str());
        // Two letters would be found anywhere.
        found.extend(told.filter(|text| text.chars().count() > 4).map(str::to_lowercase));
    }
    found
}

pub fn names_nobody(place: &str, text: &str, persons: &BTreeSet<String>) {
    assert!(persons.len() > 150, "only {} names and numbers to look for", persons.len());
    let text = text.to_lowercase();
    let found = persons.iter().filter(|person| text.contains(person.as_str())).count();
    // How many, not who: this message goes to a log as well.
    assert_eq!(found, 0, "{place} names {found} persons of the generated data");
}

#[test]
fn the_search_for_persons_finds_one() {
    let dir = tempfile::tempdir().unwrap();
    let persons = persons(&Data::generate(Path::join(dir.path(), "data")));
    let somebody = persons.iter().next().unwrap();
    let text = format!("grpc.server {}.", somebody.to_uppercase());
    let caught = std::panic::catch_unwind(|| names_nobody("a text", &text, &persons));
    assert!(caught.is_err());
}
