//! Code lists and mapping tables, as registry has them now.
use crate::lab::{Lab, SCHOOL, SOON, refusal};
use crate::pushing::{batch, open, room};
use crate::registry::codes;
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::common::v1::{CodeMappingUse, PushOpen};
use eduhub_proto::facility::v1::Room;
use eduhub_proto::registry::v1::{Code, CodeMapping, CodeMappingEntry};
use eduhub_testkit::until;
use tonic::Code as Status;

fn of_type(room_type: &str) -> Room {
    Room { room_type: room_type.to_owned(), ..room("P1") }
}

#[tokio::test]
async fn a_new_version_of_the_lists_is_in_force_within_seconds() {
    let lab = Lab::start().await;
    assert_eq!(lab.pushed(vec![of_type("44")]).await.only().problems[0].reason(), Reason::UnknownCode);
    {
        let mut state = lab.registry.codes.state();
        let new = Code { list: "DM_LOAI_PHONG".into(), code: "44".into(), ..Code::default() };
        state.codes.push(new);
        state.version += 1;
    }
    until(SOON, || async { lab.pushed(vec![of_type("44")]).await.counts().rejected == 0 }).await;
}

#[tokio::test]
async fn a_vendors_own_values_are_translated_when_it_asks_for_it() {
    let lab = Lab::start().await;
    let vendor = Persona::vendor(SCHOOL);
    let asking =
        PushOpen { code_mapping: Some(CodeMappingUse { vendor_code: "SMAS".into(), version: 7 }), ..open() };
    let fresh = || PushOpen { session_id: open().session_id, ..asking.clone() };
    let refused = lab.push(&vendor, fresh(), vec![batch(1, vec![of_type("PHONG_HOC")])]).await;
    assert_eq!(refusal(refused), (Status::InvalidArgument, Reason::InvalidRequest));
    {
        let mut state = lab.registry.codes.state();
        let entry = CodeMappingEntry { value: "PHONG_HOC".into(), code: "01".into() };
        state.mappings = vec![CodeMapping {
            vendor_code: "SMAS".into(),
            list: "DM_LOAI_PHONG".into(),
            entries: vec![entry],
            vendor_version: 7,
            ..CodeMapping::default()
        }];
        (state.codes, state.version) = (codes(), state.version + 1);
    }
    until(SOON, || async {
        let answers = lab.push(&vendor, fresh(), vec![batch(1, vec![of_type("PHONG_HOC")])]).await;
        answers.is_ok_and(|a| a.counts().translated == 1 && a.counts().rejected == 0)
    })
    .await;
}
