//! A vendor's client: rooms, sessions, and what comes back.
use crate::lab::{Lab, SCHOOL, YEAR};
use eduhub_auth::testing::Persona;
use eduhub_proto::common::v1::{
    BatchReply, PushCounts, PushEnd, PushMode, PushOpen, PushReceipt, PushWelcome, Withdrawal, push_reply,
};
use eduhub_proto::facility::v1::{PushBatch, PushRequest, Record, Room, push_request, record};
use futures::stream;
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::Status;
use uuid::Uuid;

/// A sound room on the main site of [`SCHOOL`].
pub fn room(code: &str) -> Room {
    Room {
        room_code: code.to_owned(),
        name: format!("Phòng {code}"),
        room_type: "01".to_owned(),
        campus_code: SCHOOL.to_owned(),
        area_m2: 48.0,
        building_grade: Some("1".to_owned()),
        capacity: Some(40),
        meets_standard: Some(true),
    }
}

/// The same on a campus.
pub fn room_at(code: &str, campus: &str) -> Room {
    Room { campus_code: campus.to_owned(), ..room(code) }
}

/// A new PATCH session of [`SCHOOL`].
pub fn open() -> PushOpen {
    PushOpen {
        session_id: Uuid::now_v7().to_string(),
        school_code: SCHOOL.to_owned(),
        school_year: YEAR,
        mode: PushMode::Patch as i32,
        full_kinds: vec![],
        ..PushOpen::default()
    }
}

pub fn batch(number: u32, rooms: Vec<Room>) -> PushBatch {
    let wrap = |room| Record { record: Some(record::Record::Room(room)) };
    PushBatch { number, records: rooms.into_iter().map(wrap).collect(), withdrawals: vec![] }
}

pub fn taking_away(number: u32, withdrawals: Vec<Withdrawal>) -> PushBatch {
    PushBatch { number, records: vec![], withdrawals }
}

pub fn message(message: push_request::Message) -> PushRequest {
    PushRequest { message: Some(message) }
}

/// The whole session: open, batches, end.
pub fn session(open: PushOpen, batches: Vec<PushBatch>) -> Vec<PushRequest> {
    let mut all = Sha256::new();
    let record_count = batches.iter().map(|b| b.records.len() as u64).sum();
    for batch in &batches {
        all.update(Sha256::digest(batch.encode_to_vec()));
    }
    let end = PushEnd { record_count, digest: all.finalize().to_vec() };
    let mut messages = vec![PushRequest::from(&open)];
    messages.extend(batches.iter().map(PushRequest::from));
    messages.push(message(push_request::Message::End(end)));
    messages
}

/// What the server answered until it ended the stream.
#[derive(Debug, Default)]
pub struct Answers {
    pub welcome: Option<PushWelcome>,
    pub replies: Vec<BatchReply>,
    pub receipt: Option<PushReceipt>,
}

impl Answers {
    /// The only batch's reply.
    pub fn only(&self) -> &BatchReply {
        assert_eq!(self.replies.len(), 1, "{self:?}");
        &self.replies[0]
    }

    /// Counts of the only batch.
    pub fn counts(&self) -> PushCounts {
        self.only().counts.unwrap()
    }
}

impl Lab {
    /// A session from open to end.
    pub async fn push(
        &self,
        who: &Persona,
        open: PushOpen,
        batches: Vec<PushBatch>,
    ) -> Result<Answers, Status> {
        self.send(who, session(open, batches)).await.1
    }

    /// As the vendor of [`SCHOOL`], which must succeed.
    pub async fn pushed(&self, rooms: Vec<Room>) -> Answers {
        self.push(&Persona::vendor(SCHOOL), open(), vec![batch(1, rooms)]).await.unwrap()
    }

    /// Sends messages and half-closes. Gives the replies so far, and again with how the stream ended.
    pub async fn send(&self, who: &Persona, messages: Vec<PushRequest>) -> (usize, Result<Answers, Status>) {
        let mut replies = match self.ingest(who).push(stream::iter(messages)).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => return (0, Err(status)),
        };
        let mut answers = Answers::default();
        loop {
            let reply = match replies.message().await {
                Ok(Some(reply)) => reply.message.unwrap(),
                Ok(None) => return (answers.replies.len(), Ok(answers)),
                Err(status) => return (answers.replies.len(), Err(status)),
            };
            match reply {
                push_reply::Message::Welcome(welcome) => answers.welcome = Some(welcome),
                push_reply::Message::Batch(batch) => answers.replies.push(batch),
                push_reply::Message::Receipt(receipt) => answers.receipt = Some(receipt),
            }
        }
    }
}
