//! The feed of code lists: a copy that follows it is the lists.
use crate::{
    hub::{Hub, SOON},
    lists::{code, import, some},
    pushing::refusal,
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::registry::v1::{Code, ListCodesRequest, WatchCodeListsReply, WatchCodeListsRequest};
use std::collections::BTreeMap;
use tonic::{Code as Status, Streaming};

/// A consumer's copy.
#[derive(Default)]
struct Copy {
    codes: BTreeMap<(String, String), Code>,
    cursor: Vec<u8>,
    messages: usize,
}

impl Copy {
    /// Applies what comes until nothing is left behind and the version is at least this one.
    async fn follow(&mut self, stream: &mut Streaming<WatchCodeListsReply>, version: i64) {
        loop {
            let reply = next(stream).await;
            self.messages += usize::from(!reply.codes.is_empty());
            for code in reply.codes {
                self.codes.insert((code.list.clone(), code.code.clone()), code);
            }
            self.cursor = reply.cursor;
            if reply.live && reply.version >= version {
                return;
            }
        }
    }
}

async fn next(stream: &mut Streaming<WatchCodeListsReply>) -> WatchCodeListsReply {
    tokio::time::timeout(SOON, stream.message()).await.unwrap().unwrap().unwrap()
}

async fn watch(
    hub: &Hub,
    lists: &[&str],
    cursor: Vec<u8>,
) -> Result<Streaming<WatchCodeListsReply>, tonic::Status> {
    let lists = lists.iter().map(|l| (*l).to_owned()).collect();
    let request = WatchCodeListsRequest { lists, cursor };
    Ok(hub.codes(&Persona::consumer()).watch_code_lists(request).await?.into_inner())
}

async fn all(hub: &Hub) -> Vec<Code> {
    hub.codes(&Persona::consumer()).list_codes(ListCodesRequest::default()).await.unwrap().into_inner().codes
}

#[tokio::test]
async fn a_copy_that_follows_is_the_lists_over_breaks_and_processes() {
    let hub = Hub::start().await;
    let other = hub.replica(None).await;
    let mut copy = Copy::default();
    let mut stream = watch(&hub, &[], vec![]).await.unwrap();
    copy.follow(&mut stream, 0).await;
    assert!(copy.messages > 5, "a snapshot of {} codes in {} messages", copy.codes.len(), copy.messages);
    assert_eq!(copy.codes.values().cloned().collect::<Vec<_>>().len(), all(&hub).await.len());
    // What another process imports comes here.
    let version =
        import(&other, some("DM_NUOC", vec![code("ZZ", "Xứ lạ", "")])).await.version.unwrap().version;
    copy.follow(&mut stream, version).await;
    assert!(copy.codes.contains_key(&("DM_NUOC".into(), "ZZ".into())));
    drop(stream);
    // Two versions while nobody followed; the cursor leads to both, at another process.
    import(&hub, some("DM_NUOC", vec![code("ZZ", "Xứ lạ", "2026-12-31")])).await;
    let last = import(&hub, some("DM_TON_GIAO", vec![code("98", "Mới", "")])).await.version.unwrap().version;
    let mut stream = watch(&other, &[], copy.cursor.clone()).await.unwrap();
    let messages = copy.messages;
    copy.follow(&mut stream, last).await;
    assert_eq!(copy.messages, messages + 1, "only what changed comes");
    assert_eq!(copy.codes.into_values().collect::<Vec<_>>(), all(&hub).await);
}

#[tokio::test]
async fn a_quiet_stream_shows_signs_of_life_and_a_filter_holds() {
    let hub = Hub::start().await;
    let mut stream = watch(&hub, &["DM_GIOI_TINH"], vec![]).await.unwrap();
    let first = next(&mut stream).await;
    assert!(first.snapshot && first.live && first.codes.iter().all(|c| c.list == "DM_GIOI_TINH"));
    let quiet = next(&mut stream).await;
    assert!(quiet.codes.is_empty() && quiet.live && !quiet.snapshot && quiet.server_time.is_some());
    let version = import(&hub, some("DM_NUOC", vec![code("ZZ", "Xứ lạ", "")])).await.version.unwrap().version;
    let mut copy = Copy::default();
    copy.follow(&mut stream, version).await;
    assert_eq!(copy.codes.len(), 0);
}

#[tokio::test]
async fn cursors_of_other_filters_and_rubbish_are_refused() {
    let hub = Hub::start().await;
    let mut stream = watch(&hub, &["DM_GIOI_TINH"], vec![]).await.unwrap();
    let cursor = next(&mut stream).await.cursor;
    let foreign = watch(&hub, &[], cursor).await.map(drop);
    assert_eq!(refusal(foreign), (Status::FailedPrecondition, Reason::CursorForeign));
    let rubbish = watch(&hub, &[], b"never a cursor".to_vec()).await.map(drop);
    assert_eq!(refusal(rubbish), (Status::InvalidArgument, Reason::CursorMalformed));
}
