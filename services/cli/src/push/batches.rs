//! Records cut into numbered batches, made ahead on another thread.
use crate::hub::Hub;
use crate::lines::{LineError, Lines};
use eduhub_proto::common::v1::Withdrawal;
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
    fn open(&self) -> Result<Records<R>, LineError>;

    /// Only the records at these positions, counted from 0 and ascending; the others need not be read as records.
    ///
    /// # Errors
    /// When they can't be read.
    fn pick(&self, positions: Arc<[usize]>) -> Result<Records<R>, LineError>
    where
        R: 'static,
    {
        let wanted = move |position: &usize| positions.binary_search(position).is_ok();
        Ok(Box::new(self.open()?.enumerate().filter(move |(n, _)| wanted(n)).map(|(_, record)| record)))
    }

    /// Shows every record with its position.
    ///
    /// # Errors
    /// When they can't be read, and what `look` says.
    fn each(&self, look: &mut dyn FnMut(usize, &R) -> Result<(), LineError>) -> Result<(), LineError> {
        self.open()?.enumerate().try_for_each(|(n, record)| look(n, &record?))
    }

    /// What the push takes away after all records were sent, in the order of sending: children before parents.
    fn withdrawals(&self) -> &[Withdrawal] {
        &[]
    }
}

/// Records in their order.
pub type Records<R> = Box<dyn Iterator<Item = Result<R, LineError>> + Send>;

impl<R: Clone + Send + Sync + 'static> Source<R> for Vec<R> {
    fn open(&self) -> Result<Records<R>, LineError> {
        Ok(Box::new(self.clone().into_iter().map(Ok)))
    }

    fn each(&self, look: &mut dyn FnMut(usize, &R) -> Result<(), LineError>) -> Result<(), LineError> {
        self.iter().enumerate().try_for_each(|(n, record)| look(n, record))
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

    fn file(&self) -> Result<BufReader<File>, LineError> {
        Ok(BufReader::with_capacity(1 << 18, File::open(&self.path)?))
    }
}

impl<H: Hub> Source<H::Record> for JsonLines<H> {
    fn open(&self) -> Result<Records<H::Record>, LineError> {
        Ok(Box::new(Lines::<H::Record>::new(H::RECORD)?.read(self.file()?)))
    }

    fn pick(&self, positions: Arc<[usize]>) -> Result<Records<H::Record>, LineError> {
        Ok(Box::new(Lines::<H::Record>::new(H::RECORD)?.pick(self.file()?, positions)))
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
        if tx.blocking_send(Ok(batch(number, part, vec![]))).is_err() {
            return Ok(());
        }
    }
    for part in source.withdrawals().chunks(size) {
        number += 1;
        if tx.blocking_send(Ok(batch(number, vec![], part.to_vec()))).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn batch<H: Hub>(number: u32, records: Vec<H::Record>, withdrawals: Vec<Withdrawal>) -> Batch<H> {
    let count = records.len();
    let sent = H::batch(number, records, withdrawals);
    Batch { number, request: sent.request, digest: sent.digest, records: count }
}
