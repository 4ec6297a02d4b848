//! Rewriting the file without what no longer counts.
use super::LocalCopy;
use super::file::{begin, io_of, sync_directory};
use crate::copy::CopyError;
use crate::copy::frame::{Frame, sealed};
use prost::Message;
use std::fs::OpenOptions;
use std::io::Write;

/// Changes in one frame of a rewritten file.
const COMPACT_FRAME: usize = 1_000;

impl LocalCopy {
    /// Writes a new file with what counts and puts it in the old one's place.
    pub(super) fn compacted(self) -> Result<Self, CopyError> {
        let (path, scope) = (self.path.clone(), self.scope.clone());
        let io = io_of(&path);
        let temporary = path.with_extension("rewriting");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)
            .map_err(&io)?;
        file.lock().map_err(&io)?;
        begin(&mut file, &scope).map_err(&io)?;
        for places in self.index.places().chunks(COMPACT_FRAME) {
            let changes = places.iter().map(|p| self.bytes_at(*p)).collect::<Result<Vec<_>, _>>()?;
            let frame = Frame { changes, ..Frame::default() };
            file.write_all(&sealed(&frame.encode_to_vec())).map_err(&io)?;
        }
        let last = Frame { cursor: self.cursor.clone(), live: self.live, ..Frame::default() };
        file.write_all(&sealed(&last.encode_to_vec())).map_err(&io)?;
        file.sync_all().map_err(&io)?;
        std::fs::rename(&temporary, &path).map_err(&io)?;
        sync_directory(&path).map_err(&io)?;
        let mut copy = Self::replay(&path, file, Some(&scope))?;
        copy.recovery.compacted = true;
        Ok(copy)
    }
}
