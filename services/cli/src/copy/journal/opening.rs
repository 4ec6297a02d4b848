//! Opening the file: what of it counts, up to the last whole frame.
use super::file::{begin, io_of, next_frame};
use super::{LocalCopy, Recovery};
use crate::copy::CopyError;
use crate::copy::frame::{Frame, MAGIC, OVERHEAD, Scope};
use crate::copy::index::Index;
use prost::Message;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A file is rewritten when opened if more than this is in it, and more than half of that no longer counts.
const COMPACT_ABOVE: u64 = 32 << 20;

impl LocalCopy {
    /// Opens the copy of this scope for following, or begins one. A torn end is cut off. Only one process may.
    ///
    /// # Errors
    /// [`CopyError`].
    pub fn open(path: impl Into<PathBuf>, scope: &Scope) -> Result<Self, CopyError> {
        let path = path.into();
        let io = io_of(&path);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(&io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(CopyError::InUse(path)),
            Err(TryLockError::Error(e)) => return Err(io(e)),
        }
        let mut copy = Self::replay(&path, file, Some(scope))?;
        if copy.recovery.torn > 0 {
            copy.file.set_len(copy.end).map_err(&io)?;
            copy.file.sync_data().map_err(&io)?;
        }
        if copy.end > COMPACT_ABOVE && copy.index.live_bytes() < copy.end / 2 {
            copy = copy.compacted()?;
        }
        Ok(copy)
    }

    /// Opens a copy to look at, also while another process follows into it; changes nothing.
    ///
    /// # Errors
    /// [`CopyError`].
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, CopyError> {
        let path = path.into();
        let file = File::open(&path).map_err(io_of(&path))?;
        Self::replay(&path, file, None)
    }

    /// Builds the index from the file. With a scope the file may be new or empty, and must be of that scope.
    pub(super) fn replay(path: &Path, mut file: File, wanted: Option<&Scope>) -> Result<Self, CopyError> {
        let io = io_of(path);
        file.seek(SeekFrom::Start(0)).map_err(&io)?;
        let mut input = BufReader::with_capacity(1 << 18, &file);
        let mut magic = Vec::with_capacity(MAGIC.len());
        (&mut input).take(MAGIC.len() as u64).read_to_end(&mut magic).map_err(&io)?;
        if !MAGIC.starts_with(&magic) {
            return Err(CopyError::Foreign(path.to_owned()));
        }
        let first = if magic.len() == MAGIC.len() { next_frame(&mut input).map_err(&io)? } else { None };
        // A file that ends before its head is whole was just begun.
        let (scope, head_length) = match (first, wanted) {
            (Some(content), _) => {
                let foreign = |_| CopyError::Foreign(path.to_owned());
                (Scope::decode(content.as_slice()).map_err(foreign)?, content.len())
            }
            (None, Some(wanted)) => {
                drop(input);
                begin(&mut file, wanted).map_err(&io)?;
                (wanted.clone(), wanted.encoded_len())
            }
            (None, None) => return Err(CopyError::Foreign(path.to_owned())),
        };
        if let Some(wanted) = wanted.filter(|w| **w != scope) {
            let (held, wanted) = (scope.describe(), wanted.describe());
            return Err(CopyError::OtherScope { path: path.to_owned(), held, wanted });
        }
        let start = (MAGIC.len() + OVERHEAD + head_length) as u64;
        let mut copy = Self {
            path: path.to_owned(),
            file,
            scope,
            index: Index::default(),
            cursor: vec![],
            live: false,
            end: start,
            recovery: Recovery::default(),
        };
        copy.frames()?;
        Ok(copy)
    }

    fn frames(&mut self) -> Result<(), CopyError> {
        let io = io_of(&self.path);
        let mut reader = self.file.try_clone().map_err(&io)?;
        reader.seek(SeekFrom::Start(self.end)).map_err(&io)?;
        let mut input = BufReader::with_capacity(1 << 18, reader);
        while let Some(content) = next_frame(&mut input).map_err(&io)? {
            let Ok(frame) = Frame::decode(content.as_slice()) else { break };
            self.take_in(&frame, self.end)?;
            self.end += (content.len() + OVERHEAD) as u64;
            self.recovery.frames += 1;
        }
        let length = self.file.metadata().map_err(&io)?.len();
        self.recovery.torn = length.saturating_sub(self.end);
        Ok(())
    }
}
