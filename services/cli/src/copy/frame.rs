//! Bytes of the journal: length, check, content.
use eduhub_proto::common::v1::{ChangeHeader, Kind};
use prost::Message;
use sha2::{Digest, Sha256};

/// First bytes of every copy.
pub(super) const MAGIC: &[u8; 12] = b"EDUHUBCOPY1\n";
/// Length (4 bytes, little endian) and check (first 8 bytes of the content's SHA-256).
pub(super) const OVERHEAD: usize = 12;
/// A frame is never larger: a length above it is rubbish.
const LARGEST: usize = 64 << 20;

/// What a copy follows. Another scope needs another file.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Scope {
    /// Service: `registry` or `facility`.
    #[prost(string, tag = "1")]
    pub service: String,
    /// Only these kinds; empty for all.
    #[prost(enumeration = "Kind", repeated, tag = "2")]
    pub kinds: Vec<i32>,
    /// Only these schools; empty for all.
    #[prost(string, repeated, tag = "3")]
    pub schools: Vec<String>,
}

impl Scope {
    /// Everything of a service.
    pub fn all(service: &str) -> Self {
        Self { service: service.to_owned(), kinds: vec![], schools: vec![] }
    }

    pub(super) fn describe(&self) -> String {
        format!("{} (kinds {:?}, schools {:?})", self.service, self.kinds, self.schools)
    }
}

/// One frame after the head.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Frame {
    /// Changes as the feed sent them (registry or facility `Change`).
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub changes: Vec<Vec<u8>>,
    /// Cursor that covers them; empty: as before.
    #[prost(bytes = "vec", tag = "2")]
    pub cursor: Vec<u8>,
    /// The snapshot is complete.
    #[prost(bool, tag = "3")]
    pub live: bool,
    /// Everything before this frame no longer counts.
    #[prost(bool, tag = "4")]
    pub reset: bool,
    /// What is here of these schools no longer counts.
    #[prost(string, repeated, tag = "5")]
    pub without_schools: Vec<String>,
    /// What is here of these kinds no longer counts.
    #[prost(enumeration = "Kind", repeated, tag = "6")]
    pub without_kinds: Vec<i32>,
}

/// The part of a change that both services have in common.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AnyChange {
    /// Its head; the image beside it is skipped.
    #[prost(message, optional, tag = "1")]
    pub header: Option<ChangeHeader>,
}

/// A frame ready to write.
pub(super) fn sealed(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + OVERHEAD);
    out.extend((content.len() as u32).to_le_bytes());
    out.extend(check(content));
    out.extend(content);
    out
}

/// Length and check of a frame's first bytes; `None` when it can't be a frame.
pub(super) fn head(bytes: &[u8; OVERHEAD]) -> Option<(usize, [u8; 8])> {
    let (length, check) = bytes.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    (length <= LARGEST).then_some((length, *check.first_chunk::<8>()?))
}

/// Check of a content.
pub(super) fn check(content: &[u8]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(content).into();
    digest.first_chunk::<8>().copied().unwrap_or_default()
}
