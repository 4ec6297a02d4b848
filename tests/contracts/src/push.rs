//! The push protocol's manual: a vendor's engineer finds every limit and every error where the RPC is.
use crate::api::{Comments, comment_of, files, methods, none, pool, upper_snake};
use eduhub_faults::{Reason, code};
use eduhub_proto::{RawBatch, wire::Shaped};
use prost::{Message, bytes::Bytes};

fn status_name(reason: Reason) -> String {
    upper_snake(&format!("{:?}", code(reason)))
}

fn code_named(name: &str) -> Option<tonic::Code> {
    (1..=16).map(tonic::Code::from_i32).find(|code| upper_snake(&format!("{code:?}")) == name)
}

/// Comments of the API, one text per file.
fn manuals() -> Vec<(String, String)> {
    let pool = pool();
    let text = |f: &prost_reflect::FileDescriptor| {
        let info = f.file_descriptor_proto().source_code_info.clone().unwrap_or_default();
        let comments = info.location.iter().filter_map(|l| l.leading_comments.clone());
        comments.collect::<Vec<_>>().join("\n")
    };
    files(&pool).iter().map(|f| (f.name().to_owned(), text(f))).collect()
}

/// The numbers that the services really run with.
#[test]
fn push_says_its_limits() {
    let limits = eduhub_ingest::Limits::default();
    let message = eduhub_runtime::config::ServerLimits::default().max_message_bytes;
    let said = [
        format!("{} records a batch", thousands(limits.batch_records)),
        format!("{} MiB a message", message >> 20),
        format!("{} batches on the way", limits.window),
        format!("{} s between two messages", limits.idle.as_secs()),
        format!("{} held records a school", thousands(limits.held_per_school as usize)),
        format!("{} streams of one client", limits.streams_per_caller),
        "eduhub/common/v1/push.proto".to_owned(),
    ];
    let pool = pool();
    let pushes: Vec<_> = methods(&pool).into_iter().filter(|m| m.name() == "Push").collect();
    assert_eq!(pushes.len(), 2);
    let mut gaps = Vec::new();
    for push in &pushes {
        let comment = comment_of(push).replace('\n', "");
        let missing = said.iter().filter(|text| !comment.contains(text.as_str()));
        gaps.extend(missing.map(|text| format!("{}: {text:?}", push.full_name())));
    }
    none("not said in the comment of Push", &gaps);
}

fn thousands(n: usize) -> String {
    if n < 1_000 { n.to_string() } else { format!("{},{:03}", n / 1_000, n % 1_000) }
}

/// `CODE/REASON` in a comment is the code that the reason really has.
#[test]
fn codes_named_in_comments_are_those_of_their_reasons() {
    let named = regex::Regex::new(r"\b([A-Z][A-Z_]+[A-Z]) ?/ ?([A-Z][A-Z_]+[A-Z])\b").unwrap();
    let (mut gaps, mut seen) = (Vec::new(), 0);
    for (file, text) in manuals() {
        for found in named.captures_iter(&text.replace('\n', " ")) {
            // Two symbols of the Ministry's with a stroke between them are no error.
            if code_named(&found[1]).is_none() {
                continue;
            }
            let Some(reason) = Reason::from_str_name(&format!("REASON_{}", &found[2])) else {
                gaps.push(format!("{file}: {}: no such reason", &found[0]));
                continue;
            };
            seen += 1;
            if status_name(reason) != found[1] {
                gaps.push(format!("{file}: {}: the code is {}", &found[0], status_name(reason)));
            }
        }
    }
    none("comments that name a wrong code", &gaps);
    assert!(seen > 30, "only {seen} errors are named");
}

#[test]
fn the_protocol_is_told_where_it_is_defined() {
    let pool = pool();
    let file = pool.get_file_by_name("eduhub/common/v1/push.proto").unwrap();
    let manual = Comments::of(&file).at(&[2]).to_owned();
    for word in ["welcome", "receipt", "durable", "same session id", "abandoned"] {
        assert!(manual.contains(word), "push.proto does not speak of {word:?}");
    }
}

/// What a service reads of a batch before its records, and what keeps unknown fields apart from known ones.
#[test]
fn a_raw_batch_is_the_batch_of_every_service() {
    let pool = pool();
    let shape = |m: prost_reflect::MessageDescriptor| {
        let mut fields: Vec<_> = m.fields().map(|f| (f.number(), f.name().to_owned(), f.is_list())).collect();
        fields.sort();
        fields
    };
    let raw: Vec<_> = RawBatch::SHAPE.fields.iter().map(|f| (f.number, f.name.to_owned(), f.list)).collect();
    for service in ["registry", "facility"] {
        let batch = pool.get_message_by_name(&format!("eduhub.{service}.v1.PushBatch")).unwrap();
        assert_eq!(shape(batch.clone()), raw, "{service}");
        let sent = prost_reflect::DynamicMessage::decode(
            batch,
            RawBatch { number: 7, records: vec![Bytes::new()], withdrawals: vec![Default::default()] }
                .encode_to_vec()
                .as_slice(),
        );
        assert_eq!(sent.unwrap().unknown_fields().count(), 0, "{service}");
    }
}
