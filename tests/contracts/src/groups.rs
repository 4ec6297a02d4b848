//! The eight error groups of letter 4856/BCA-TTDLQG (domain.md B.7) are the taxonomy of findings about records.
use crate::api::{none, pool};
use eduhub_faults::{Reason, error, group};
use eduhub_proto::common::v1::{ErrorGroup, Problem};
use prost::Message;
use std::collections::BTreeSet;

/// Reasons below this number are about a record's data; those above are about the call.
const ABOUT_CALLS: i32 = 60;

fn reasons() -> Vec<Reason> {
    let list = pool().get_enum_by_name("eduhub.common.v1.Reason").unwrap();
    let numbers = list.values().map(|v| v.number()).filter(|n| *n != 0);
    numbers.map(|n| Reason::try_from(n).expect("a number of the enum")).collect()
}

#[test]
fn a_reason_about_data_has_a_group_and_one_about_the_call_has_none() {
    let gaps = reasons().into_iter().filter_map(|reason| {
        let about_data = (reason as i32) < ABOUT_CALLS;
        let classed = group(reason) != ErrorGroup::Unspecified;
        (about_data != classed).then(|| format!("{}: {:?}", reason.as_str_name(), group(reason)))
    });
    none("reasons and groups", &gaps.collect::<Vec<_>>());
}

/// A group that no finding is ever in would be a box that always counts zero.
#[test]
fn every_group_has_a_reason() {
    let used: BTreeSet<i32> = reasons().into_iter().map(|r| group(r) as i32).filter(|g| *g != 0).collect();
    let list = pool().get_enum_by_name("eduhub.common.v1.ErrorGroup").unwrap();
    let groups: BTreeSet<i32> = list.values().map(|v| v.number()).filter(|n| *n != 0).collect();
    assert_eq!(groups.len(), 8, "the letter has eight");
    assert_eq!(used, groups);
}

#[test]
fn a_finding_brings_its_group_over_the_wire() {
    for reason in reasons() {
        let sent = error(reason, "x").encode_to_vec();
        let received = Problem::decode(sent.as_slice()).unwrap();
        assert_eq!((received.reason(), received.group()), (reason, group(reason)));
    }
}
