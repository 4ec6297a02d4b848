//! The service config that clients load (`proto/eduhub/service_config.json`) says the same as the API: what may be asked again
//! after UNAVAILABLE, and how long a call may take.
use crate::api::{Comments, methods, none, pool};
use prost_reflect::MethodDescriptor;
use regex::Regex;
use serde_json::Value;
use std::collections::BTreeMap;

const CONFIG: &str = include_str!("../../../proto/eduhub/service_config.json");

/// Numbers of `google.protobuf.MethodOptions.IdempotencyLevel`.
const UNKNOWN: i32 = 0;
const NO_SIDE_EFFECTS: i32 = 1;
const IDEMPOTENT: i32 = 2;

fn level(method: &MethodDescriptor) -> i32 {
    method.method_descriptor_proto().options.as_ref().map_or(UNKNOWN, |o| o.idempotency_level() as i32)
}

fn is_stream(method: &MethodDescriptor) -> bool {
    method.is_client_streaming() || method.is_server_streaming()
}

/// The method's entry of the config, by service and method.
fn entries() -> BTreeMap<(String, String), Value> {
    let config: Value = serde_json::from_str(CONFIG).unwrap();
    let mut out = BTreeMap::new();
    for entry in config["methodConfig"].as_array().unwrap() {
        for name in entry["name"].as_array().unwrap() {
            let key = ["service", "method"].map(|part| name[part].as_str().unwrap().to_owned());
            let [service, method] = key;
            assert!(out.insert((service, method), entry.clone()).is_none(), "{name} stands there twice");
        }
    }
    out
}

#[test]
fn every_rpc_stands_in_the_service_config_as_its_idempotency_says() {
    let pool = pool();
    let mut entries = entries();
    let mut gaps = Vec::new();
    for method in methods(&pool) {
        let key = (method.parent_service().full_name().to_owned(), method.name().to_owned());
        let Some(entry) = entries.remove(&key) else {
            gaps.push(format!("{}: no entry", method.full_name()));
            continue;
        };
        let may_repeat = level(&method) != UNKNOWN;
        if may_repeat == entry["retryPolicy"].is_null() {
            gaps.push(format!("{}: repeatable {may_repeat}, but not so in the config", method.full_name()));
        }
        // A stream goes on for as long as it goes on.
        if is_stream(&method) != entry["timeout"].is_null() {
            gaps.push(format!("{}: calls have a timeout, streams have none", method.full_name()));
        }
        let policy = &entry["retryPolicy"];
        if may_repeat && policy["retryableStatusCodes"] != serde_json::json!(["UNAVAILABLE"]) {
            gaps.push(format!("{}: only UNAVAILABLE says that another server may do it", method.full_name()));
        }
    }
    gaps.extend(entries.keys().map(|(service, method)| format!("{service}.{method}: no such RPC")));
    none("the service config and the API disagree", &gaps);
}

/// The option is a promise to every client: the manual must make it, too.
#[test]
fn what_may_be_repeated_is_said_in_words() {
    let reads =
        Regex::new(r"^(Get|List|Count|Search|BatchGet|Diff|Compare|Convert|Try|Last|Watch|Check)").unwrap();
    let safe = Regex::new(r"(?i)idempotent|repeat|same (call|pack|decision)|already|ask again").unwrap();
    let unsafe_ =
        Regex::new(r"(?i)not idempotent|request_id|ABORTED/CONFLICT|WRONG_STATE|ALREADY_EXISTS").unwrap();
    let pool = pool();
    let mut gaps = Vec::new();
    for method in methods(&pool) {
        let comments = Comments::of(&method.parent_file());
        let comment = comments.at(method.path());
        let name = method.full_name();
        match level(&method) {
            NO_SIDE_EFFECTS if !reads.is_match(method.name()) => {
                gaps.push(format!("{name}: does it only read?"))
            }
            IDEMPOTENT if !safe.is_match(comment) => gaps.push(format!("{name}: why is it safe to repeat?")),
            UNKNOWN if reads.is_match(method.name()) => gaps.push(format!("{name}: reads may be repeated")),
            // A push goes on by its session.
            UNKNOWN if method.name() != "Push" && !unsafe_.is_match(comment) => {
                gaps.push(format!("{name}: what does a client do after a lost answer?"));
            }
            _ => {}
        }
    }
    none("the idempotency of RPCs and their comments disagree", &gaps);
}
