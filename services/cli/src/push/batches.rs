//! Records cut into numbered batches, made ahead on another thread.
use crate::hub::Hub;
use crate::lines::{LineError, Lines};
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Records of one push. It is opened again after each break, and must then give the same records.
pub trait Source<R>: Send + Sync + 'static {
    /// The records from the first one on.
    ///
    /// # Errors
    /// When they can't be read.
    fn open(&self) -> Result<Box<dyn Iterator<Item = Result<R, LineError>> + Send>, LineError>;
}

impl<R: Clone + Send + Sync + 'static> Source<R> for Vec<R> {
    fn open(&self) -> Result<Box<dyn Iterator<Item = Result<R, LineError>> + Send>, LineError> {
        Ok(Box::new(self.clone().into_iter().map(Ok)))
    }
}

/// A file of JSON lines.
#[derive(Clone, Debug)]
pub struct JsonLines<H> {
    path: PathBuf,
    hub: std::marker::PhantomData<fn() -> H>,
}

impl<H: Hub> JsonLines<H> {
    /// Records of this hub in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), hub: std::marker::PhantomData }
    }
}

impl<H: Hub> Source<H::Record> for JsonLines<H> {
    fn open(&self) -> Result<Box<dyn Iterator<Item = Result<H::Record, LineError>> + Send>, LineError> {
        let lines = Lines::<H::Record>::new(H::RECORD)?;
        let file = BufReader::with_capacity(1 << 18, File::open(&self.path)?);
        Ok(Box::new(lines.read(file)))
    }
}

/// One batch.
pub(super) struct Batch<H: Hub> {
    pub number: u32,
    pub request: H::PushRequest,
    pub digest: [u8; 32],
    pub records: usize,
}

/// Makes batches of `size` on a thread of its own, at most `ahead` of them in advance. The thread ends with the receiver.
pub(super) fn batches<H: Hub>(
    source: Arc<dyn Source<H::Record>>,
    size: usize,
    ahead: usize,
) -> mpsc::Receiver<Result<Batch<H>, LineError>> {
    let (tx, rx) = mpsc::channel(ahead.max(1));
    tokio::task::spawn_blocking(move || {
        if let Err(error) = make::<H>(source.as_ref(), size.max(1), &tx) {
            // Nobody listens any more: then nobody needs to know.
            let _ = tx.blocking_send(Err(error));
        }
    });
    rx
}

fn make<H: Hub>(
    source: &dyn Source<H::Record>,
    size: usize,
    tx: &mpsc::Sender<Result<Batch<H>, LineError>>,
) -> Result<(), LineError> {
    let mut records = source.open()?.peekable();
    let mut number = 0;
    while records.peek().is_some() {
        let part: Vec<H::Record> = records.by_ref().take(size).collect::<Result<_, _>>()?;
        number += 1;
        let count = part.len();
        let sent = H::batch(number, part);
        let batch = Batch { number, request: sent.request, digest: sent.digest, records: count };
        if tx.blocking_send(Ok(batch)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}
