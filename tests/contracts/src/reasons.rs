//! Reasons: every one has its code and its texts in both languages.
use crate::api::{none, pool};
use eduhub_faults::{Reason, code, reason_of, texts};
use std::collections::HashMap;
use tonic::Code;

fn reasons() -> Vec<Reason> {
    let list = pool().get_enum_by_name("eduhub.common.v1.Reason").unwrap();
    let numbers = list.values().map(|v| v.number()).filter(|n| *n != 0);
    numbers.map(|n| Reason::try_from(n).expect("a number of the enum")).collect()
}

#[test]
fn every_reason_has_a_code_and_texts_in_both_languages() {
    assert!(reasons().len() > 50);
    let mut gaps = Vec::new();
    for reason in reasons() {
        let text = texts(reason);
        let name = reason.as_str_name();
        if text.vi.trim().is_empty() || text.en.trim().is_empty() || text.vi == text.en {
            gaps.push(format!("{name}: texts {text:?}"));
        }
        if !text.en.is_ascii() {
            gaps.push(format!("{name}: the English text is not English: {:?}", text.en));
        }
        if matches!(code(reason), Code::Ok | Code::Unknown | Code::Cancelled | Code::Unimplemented) {
            gaps.push(format!("{name}: code {:?} says nothing", code(reason)));
        }
    }
    none("reasons that are not ready for clients", &gaps);
}

/// Two reasons of one text would look the same to whoever reads it.
#[test]
fn no_two_reasons_say_the_same() {
    let mut by_text: HashMap<&str, Vec<&str>> = HashMap::new();
    for reason in reasons() {
        let text = texts(reason);
        by_text.entry(text.vi).or_default().push(reason.as_str_name());
        by_text.entry(text.en).or_default().push(reason.as_str_name());
    }
    let twice = by_text.into_iter().filter(|(_, names)| names.len() > 1);
    none("one text for several reasons", &twice.map(|(t, n)| format!("{t:?}: {n:?}")).collect::<Vec<_>>());
}

/// What a client reads off the status is the reason that the service meant.
#[test]
fn a_status_carries_its_reason() {
    for reason in reasons() {
        let status = tonic::Status::from(eduhub_faults::Fault::new(reason));
        assert_eq!(reason_of(&status), Some(reason));
        assert_eq!(status.code(), code(reason), "{}", reason.as_str_name());
    }
}
