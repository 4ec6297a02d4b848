//! Answers to [`get`](crate::Reads::get) in the memory of this process.
//!
//! An answer is kept for all callers of one class together with what was known of the log just before it was read. A writer of
//! this process counts its commit before it acknowledges it, so no answer from before an acknowledged write is ever given
//! after it here; the commit of another process shows within a second. Nothing is ever taken out: what no longer stands is
//! read again. Personal IDs are never kept in the clear: for callers who see them the stored image is kept, with its secret
//! sealed.
use crate::{
    encode,
    fresh::{Freshness, Known},
    metrics::Counted,
    reads::{Named, Reads, table},
    view::Reader,
};
use bytes::Bytes;
use eduhub_auth::Caller;
use eduhub_changelog::{RecordSet, StoredImage};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::dictionary::CLASS_SECRET;
use quick_cache::{Weighter, sync};
use std::sync::Arc;

/// Bytes that answers may hold.
const BYTES: u64 = 32 << 20;
/// Bytes of an answer, about.
const ONE: usize = 1_000;

/// The cache.
pub(crate) struct Cache {
    answers: sync::Cache<String, Arc<Kept>, ByBytes>,
    fresh: Freshness,
    counted: Counted,
}

struct Kept {
    known: Known,
    answer: Answer,
}

enum Answer {
    /// The encoded `Change`.
    Encoded(Bytes),
    /// The image of a record whose secret the caller sees.
    Sealed(Arc<StoredImage>),
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<String, Arc<Kept>> for ByBytes {
    fn weight(&self, key: &String, kept: &Arc<Kept>) -> u64 {
        let answer = match &kept.answer {
            Answer::Encoded(bytes) => bytes.len(),
            Answer::Sealed(image) => image.body.len() + 300,
        };
        (key.len() + answer + 200) as u64
    }
}

impl Cache {
    pub fn new(fresh: Freshness) -> Self {
        let items = usize::try_from(BYTES).unwrap_or_default() / ONE;
        Self { answers: sync::Cache::with_weighter(items, BYTES, ByBytes), fresh, counted: Counted::new() }
    }
}

/// Key of an answer for callers of a class.
fn key(class: i32, what: &Named<'_>) -> String {
    let mut key = String::with_capacity(what.school_code.len() + what.record_key.len() + 8);
    // Numbers as letters: both are small.
    for number in [class, what.kind] {
        key.push(char::from_u32(u32::try_from(number).unwrap_or_default()).unwrap_or_default());
    }
    key.push_str(what.school_code);
    key.push('/');
    key.push_str(what.record_key);
    key
}

impl Answer {
    fn of<S: RecordSet>(image: Arc<StoredImage>, reader: &Reader<'_>, kind: i32) -> Result<Self, Fault> {
        if reader.max_class >= CLASS_SECRET && image.secret.is_some() {
            return Ok(Self::Sealed(image));
        }
        Ok(Self::Encoded(encode::change(&reader.read::<S>(kind, &image)?)))
    }

    fn bytes<S: RecordSet>(&self, reader: &Reader<'_>, kind: i32) -> Result<Bytes, Fault> {
        match self {
            Self::Encoded(bytes) => Ok(bytes.clone()),
            Self::Sealed(image) => Ok(encode::change(&reader.read::<S>(kind, image)?)),
        }
    }
}

impl<S: RecordSet> Reads<S> {
    /// One live record as an encoded `Change`.
    ///
    /// # Errors
    /// NOT_FOUND when it is absent, or the school is absent or out of reach; PERMISSION_DENIED for the domain.
    pub async fn get(&self, caller: &Caller, what: Named<'_>) -> Result<Bytes, Fault> {
        let reader = self.reader(caller);
        let key = key(caller.max_class.clamp(0, CLASS_SECRET), &what);
        let kept = self.cache.answers.get(&key);
        if let Some(kept) = kept.filter(|kept| self.cache.fresh.stands(what.school_code, &kept.known)) {
            self.admit_to_kept(caller, &what).await?;
            self.cache.counted.kept.add(1);
            return kept.answer.bytes::<S>(&reader, what.kind);
        }
        self.gate.kind(caller, what.school_code, what.kind).await?;
        table::<S>(what.kind)?;
        self.cache.counted.database.add(1);
        let known = self.cache.fresh.now(what.school_code);
        let image = self.batcher.get(&what).await?.ok_or_else(|| Fault::new(Reason::NotFound))?;
        let answer = Answer::of::<S>(image, &reader, what.kind)?;
        let bytes = answer.bytes::<S>(&reader, what.kind)?;
        self.cache.answers.insert(key, Arc::new(Kept { known, answer }));
        Ok(bytes)
    }

    /// The gate for a record that is here, so its school exists: only where a caller's scope is by commune, the school's place
    /// is asked.
    async fn admit_to_kept(&self, caller: &Caller, what: &Named<'_>) -> Result<(), Fault> {
        if !caller.scope.province && !caller.scope.schools.contains(what.school_code) {
            return self.gate.kind(caller, what.school_code, what.kind).await;
        }
        caller.require_domain(table::<S>(what.kind)?.meta.domain())
    }
}
