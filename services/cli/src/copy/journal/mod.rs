//! The file: what is kept and what is read of it. [`opening`] builds the index from it, [`rewriting`] makes it small again,
//! [`file`] is its bytes.
mod file;
mod opening;
mod rewriting;

use super::CopyError;
use super::frame::{Frame, OVERHEAD, Scope, sealed};
use super::index::{Applied, Index, Place};
use eduhub_proto::common::v1::{Kind, SchoolDigest, ScopeChange};
use file::io_of;
use prost::Message;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// What opening found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whole frames.
    pub frames: u64,
    /// Bytes of a torn frame at the end, which were dropped.
    pub torn: u64,
    /// The file was rewritten without what no longer counts.
    pub compacted: bool,
}

/// A copy. See the module's description.
pub struct LocalCopy {
    path: PathBuf,
    file: File,
    scope: Scope,
    index: Index,
    cursor: Vec<u8>,
    live: bool,
    end: u64,
    recovery: Recovery,
}

impl LocalCopy {
    fn take_in(&mut self, frame: &Frame, at: u64) -> Result<Applied, CopyError> {
        if frame.reset {
            self.index = Index::default();
            self.cursor.clear();
        }
        self.index.drop_all(&frame.without_schools, &frame.without_kinds);
        let mut applied = Applied::default();
        let mut offset = at + OVERHEAD as u64;
        for change in &frame.changes {
            // Field 1, length, bytes: as prost writes it.
            let prefix = 1 + prost::length_delimiter_len(change.len()) as u64;
            let place = Place { offset: offset + prefix, length: change.len() as u32 };
            offset = place.offset + change.len() as u64;
            self.index.apply(change, place, &mut applied)?;
        }
        if !frame.cursor.is_empty() {
            self.cursor.clone_from(&frame.cursor);
        }
        self.live = frame.live || (self.live && !frame.reset);
        Ok(applied)
    }

    /// Keeps changes (as the feed's `Change` bytes) together with the cursor that covers them. When this returns, both are on
    /// disk. Blocks for the disk's sync.
    ///
    /// # Errors
    /// [`CopyError`]; then neither counts, and the copy must be opened again.
    pub fn apply(&mut self, changes: Vec<Vec<u8>>, cursor: Vec<u8>) -> Result<Applied, CopyError> {
        self.append(Frame { changes, cursor, live: self.live, ..Frame::default() })
    }

    /// Keeps a checkpoint's cursor, and that the snapshot is complete.
    ///
    /// # Errors
    /// [`CopyError`].
    pub fn checkpoint(&mut self, cursor: Vec<u8>, live: bool) -> Result<(), CopyError> {
        if cursor == self.cursor && live == self.live {
            return Ok(());
        }
        self.append(Frame { cursor, live, ..Frame::default() }).map(drop)
    }

    /// Forgets everything: the feed no longer knows the cursor, a new snapshot comes.
    ///
    /// # Errors
    /// [`CopyError`].
    pub fn reset(&mut self) -> Result<(), CopyError> {
        self.append(Frame { reset: true, ..Frame::default() }).map(drop)
    }

    /// Drops what left the consumer's scope, all of it for a reset.
    ///
    /// # Errors
    /// [`CopyError`].
    pub fn rescope(&mut self, change: &ScopeChange) -> Result<(), CopyError> {
        let frame = Frame {
            cursor: change.cursor.clone(),
            live: self.live && !change.reset,
            reset: change.reset,
            without_schools: change.removed_schools.clone(),
            without_kinds: change.removed_kinds.clone(),
            ..Frame::default()
        };
        self.append(frame).map(drop)
    }

    fn append(&mut self, frame: Frame) -> Result<Applied, CopyError> {
        let io = io_of(&self.path);
        let bytes = sealed(&frame.encode_to_vec());
        self.file.seek(SeekFrom::Start(self.end)).map_err(&io)?;
        self.file.write_all(&bytes).map_err(&io)?;
        self.file.sync_data().map_err(&io)?;
        let applied = self.take_in(&frame, self.end)?;
        self.end += bytes.len() as u64;
        Ok(applied)
    }

    /// Cursor to go on from; `None` before the first batch.
    pub fn cursor(&self) -> Option<&[u8]> {
        (!self.cursor.is_empty()).then_some(self.cursor.as_slice())
    }

    /// True once the snapshot is complete.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// What is copied.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What opening found.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// Live records.
    pub fn len(&self) -> u64 {
        self.index.len()
    }

    /// True without live records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Schools with records, live or withdrawn, by code.
    pub fn schools(&self) -> Vec<String> {
        self.index.schools()
    }

    /// The digest that `SealService.GetSchoolDigest` gives for the same records.
    pub fn digest_of(&self, school_code: &str) -> SchoolDigest {
        self.index.digest_of(school_code)
    }

    /// The change that holds the record's image, as the feed sent it; `None` when there is no such live record.
    ///
    /// # Errors
    /// [`CopyError::Io`].
    pub fn get(&self, school_code: &str, kind: Kind, key: &str) -> Result<Option<Vec<u8>>, CopyError> {
        let place = self.index.place(school_code, kind as i32, key);
        place.map(|p| self.bytes_at(p)).transpose()
    }

    fn bytes_at(&self, place: Place) -> Result<Vec<u8>, CopyError> {
        let mut bytes = vec![0; place.length as usize];
        self.file.read_exact_at(&mut bytes, place.offset).map_err(io_of(&self.path))?;
        Ok(bytes)
    }
}
