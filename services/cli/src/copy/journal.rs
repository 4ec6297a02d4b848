//! The file.
use super::CopyError;
use super::frame::{Frame, MAGIC, OVERHEAD, Scope, check, head, sealed};
use super::index::{Applied, Index, Place};
use eduhub_proto::common::v1::{Kind, SchoolDigest, ScopeChange};
use prost::Message;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A file is rewritten when opened if more than this is in it, and more than half of that no longer counts.
const COMPACT_ABOVE: u64 = 32 << 20;
/// Changes in one frame of a rewritten file.
const COMPACT_FRAME: usize = 1_000;

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
    fn replay(path: &Path, mut file: File, wanted: Option<&Scope>) -> Result<Self, CopyError> {
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

    /// Writes a new file with what counts and puts it in the old one's place.
    fn compacted(self) -> Result<Self, CopyError> {
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

/// Writes the head of a new file.
fn begin(file: &mut File, scope: &Scope) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(MAGIC)?;
    file.write_all(&sealed(&scope.encode_to_vec()))?;
    file.sync_all()
}

/// The next whole frame's content; `None` at the end or before a torn one.
fn next_frame(input: &mut impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut start = [0; OVERHEAD];
    if !read_full(input, &mut start)? {
        return Ok(None);
    }
    let Some((length, expected)) = head(&start) else { return Ok(None) };
    let mut content = vec![0; length];
    if !read_full(input, &mut content)? || check(&content) != expected {
        return Ok(None);
    }
    Ok(Some(content))
}

/// False when the input ends before the buffer is full.
fn read_full(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match input.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(e),
    }
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

fn io_of(path: &Path) -> impl Fn(std::io::Error) -> CopyError + use<> {
    let path = path.to_owned();
    move |source| CopyError::Io { path: path.clone(), source }
}
