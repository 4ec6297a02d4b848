//! Changes as they are read, and as they go over the wire.
use crate::wire;
use bytes::Bytes;
use eduhub_changelog::{ImageError, Opener, Position, RecordSet, StoredImage};
use eduhub_ingest::to_proto;
use eduhub_proto::{
    common::v1::{ChangeHeader, ChangeOp, Kind},
    dictionary::{CLASS_SECRET, masks_nothing},
};
use eduhub_vault::Vault;
use prost::Message;
use std::{
    collections::{HashMap, hash_map::Entry},
    marker::PhantomData,
    ops::Range,
    sync::OnceLock,
};

/// One change with its image.
#[derive(Debug)]
pub(crate) struct Event {
    /// Where it stands in the log; unused for rows of a snapshot.
    pub position: Position,
    pub kind: i32,
    pub image: StoredImage,
}

/// Highest number of `Sensitivity`.
const CLASSES: usize = CLASS_SECRET as usize;

/// Changes in order. What consumers of one class get of them is encoded once, whoever they are.
#[derive(Debug)]
pub(crate) struct Page {
    /// Position before the first.
    pub from: Position,
    pub events: Vec<Event>,
    /// Position of the last.
    pub last: Position,
    /// Rows of a snapshot.
    snapshot: bool,
    encoded: [OnceLock<Option<Encoded>>; CLASSES + 1],
}

/// Changes as elements of `ChangeBatch.changes`, one after the other.
#[derive(Debug)]
pub(crate) struct Encoded {
    bytes: Bytes,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Encoded {
    /// Bytes of these events.
    pub fn slice(&self, events: Range<usize>) -> &[u8] {
        let end = |n: usize| n.checked_sub(1).and_then(|i| self.ends.get(i)).copied().unwrap_or_default();
        self.bytes.get(end(events.start)..end(events.end)).unwrap_or_default()
    }
}

impl Page {
    /// Changes of the log after `from`.
    pub fn of_log(from: Position, events: Vec<Event>, last: Position) -> Self {
        Self { from, events, last, snapshot: false, encoded: Default::default() }
    }

    /// Rows of a snapshot.
    pub fn of_snapshot(events: Vec<Event>) -> Self {
        let (from, last) = (Position::START, Position::START);
        Self { from, events, last, snapshot: true, encoded: Default::default() }
    }

    /// Bytes that it holds, about: images, and what was or will be encoded of them.
    pub fn weight(&self) -> usize {
        self.events.iter().map(|e| 2 * e.image.body.len() + 500).sum()
    }

    /// Index of the first event after a position.
    pub fn after(&self, position: Position) -> usize {
        self.events.partition_point(|e| e.position <= position)
    }

    /// What consumers of a class see. `None` when a stored image can't be read: a hole would be a silent loss.
    pub fn encoded<S: RecordSet>(&self, vault: &Vault, max_class: i32) -> Option<&Encoded> {
        let class = usize::try_from(max_class).unwrap_or_default().min(CLASSES);
        let made = self.encoded[class].get_or_init(|| match self.encode::<S>(vault, class as i32) {
            Ok(encoded) => Some(encoded),
            Err(error) => {
                tracing::error!(%error, "a stored image can't be read; streams that come to it end");
                None
            }
        });
        made.as_ref()
    }

    fn encode<S: RecordSet>(&self, vault: &Vault, max_class: i32) -> Result<Encoded, ImageError> {
        let mut bytes = Vec::with_capacity(self.events.iter().map(|e| e.image.body.len() + 200).sum());
        let mut ends = Vec::with_capacity(self.events.len());
        let mut tags = Tags::<S> { vault, known: HashMap::new(), set: PhantomData };
        let mut record = Vec::new();
        for event in &self.events {
            record.clear();
            if !event.image.withdrawn {
                event.record(&mut tags, max_class, &mut record)?;
            }
            let header = event.header(self.snapshot);
            wire::change(&mut bytes, &header, (!event.image.withdrawn).then_some(&record));
            ends.push(bytes.len());
        }
        Ok(Encoded { bytes: bytes.into(), ends })
    }
}

impl Event {
    fn header(&self, snapshot: bool) -> ChangeHeader {
        let image = &self.image;
        let op = if image.withdrawn { ChangeOp::Withdraw } else { ChangeOp::Upsert };
        ChangeHeader {
            record_id: image.record_id.to_string(),
            school_code: image.school_code.clone(),
            kind: self.kind,
            record_key: image.record_key.clone(),
            op: op as i32,
            version: image.version,
            digest: image.digest.clone(),
            changed_at: Some(to_proto(image.changed_at)),
            snapshot,
        }
    }

    /// The service's `Record` message with this image for a reader of a class.
    fn record<S: RecordSet>(
        &self,
        tags: &mut Tags<'_, S>,
        max_class: i32,
        out: &mut Vec<u8>,
    ) -> Result<(), ImageError> {
        let kind = Kind::try_from(self.kind).map_err(|_| ImageError::Kind)?;
        let table = S::table(self.kind).ok_or(ImageError::Kind)?;
        let opener = Opener { vault: tags.vault, image: &self.image, kind: self.kind, max_class };
        if !masks_nothing(table.meta, max_class) {
            S::open(kind, &opener)?.encode(out).map_err(|_| ImageError::Kind)?;
            return Ok(());
        }
        // Nothing to mask: the stored bytes are the message. A secret is appended, which is as good a place as its own.
        let secret = opener.secret()?;
        wire::record(out, tags.of(kind)?, &self.image.body, secret.as_ref());
        Ok(())
    }
}

/// Tags of the kinds' places in the oneof of the service's `Record`.
struct Tags<'a, S> {
    vault: &'a Vault,
    known: HashMap<i32, Vec<u8>>,
    set: PhantomData<S>,
}

impl<S: RecordSet> Tags<'_, S> {
    /// What an empty record of the kind is encoded as, without its length of zero.
    fn of(&mut self, kind: Kind) -> Result<&[u8], ImageError> {
        if let Entry::Vacant(place) = self.known.entry(kind as i32) {
            let image = empty();
            let opener = Opener { vault: self.vault, image: &image, kind: kind as i32, max_class: 0 };
            let mut tag = S::open(kind, &opener)?.encode_to_vec();
            tag.pop();
            place.insert(tag);
        }
        self.known.get(&(kind as i32)).map(Vec::as_slice).ok_or(ImageError::Kind)
    }
}

fn empty() -> StoredImage {
    StoredImage {
        record_id: uuid::Uuid::nil(),
        school_code: String::new(),
        record_key: String::new(),
        version: 0,
        digest: vec![],
        body: vec![],
        secret: None,
        changed_at: time::OffsetDateTime::UNIX_EPOCH,
        withdrawn: false,
    }
}
