//! The bytes of the file: its head, its frames, its place in the directory.
use crate::copy::CopyError;
use crate::copy::frame::{MAGIC, OVERHEAD, Scope, check, head, sealed};
use prost::Message;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Writes the head of a new file.
pub(super) fn begin(file: &mut File, scope: &Scope) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(MAGIC)?;
    file.write_all(&sealed(&scope.encode_to_vec()))?;
    file.sync_all()
}

/// The next whole frame's content; `None` at the end or before a torn one.
pub(super) fn next_frame(input: &mut impl Read) -> std::io::Result<Option<Vec<u8>>> {
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

pub(super) fn sync_directory(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

pub(super) fn io_of(path: &Path) -> impl Fn(std::io::Error) -> CopyError + use<> {
    let path = path.to_owned();
    move |source| CopyError::Io { path: path.clone(), source }
}
