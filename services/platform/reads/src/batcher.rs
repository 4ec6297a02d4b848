//! Reads of many callers in one statement: while one runs, those who come wait together for the next. Nobody waits for a
//! timer, and two who want the same record get the same row.
use crate::reads::Named;
use eduhub_changelog::{RecordSet, StoredImage, get_many};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, PgPool};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{Mutex, mpsc, oneshot};

/// Statements at once: one runs in the database while the answers of another are given out.
const AT_ONCE: usize = 2;
/// Records in one statement at most.
const MOST: usize = 128;
/// Callers that may wait; the next waits for its place.
const ROOM: usize = 4_096;
/// When to ask again after the database was out of reach.
const RETRY: Duration = Duration::from_secs(2);

type Reply = Result<Option<Arc<StoredImage>>, Failed>;

/// Why a statement failed, for each who waited for it.
#[derive(Debug, Clone)]
struct Failed {
    reason: Reason,
    text: Arc<str>,
}

impl From<Failed> for Fault {
    fn from(failed: Failed) -> Self {
        let fault = Fault::new(failed.reason).source(failed.text.to_string());
        if failed.reason == Reason::Unavailable { fault.retry_after(RETRY) } else { fault }
    }
}

/// One who waits.
struct Waiting {
    kind: i32,
    school_code: String,
    record_key: String,
    reply: oneshot::Sender<Reply>,
}

/// Gets records for callers. Its tasks end with the last clone.
#[derive(Clone)]
pub(crate) struct Batcher(mpsc::Sender<Waiting>);

impl Batcher {
    /// Starts the tasks that ask this database.
    pub fn start<S: RecordSet>(pool: &PgPool) -> Self {
        let (to, from) = mpsc::channel(ROOM);
        let from = Arc::new(Mutex::new(from));
        for _ in 0..AT_ONCE {
            tokio::spawn(serve::<S>(pool.clone(), from.clone()));
        }
        Self(to)
    }

    /// The stored image of a live record, read after this call.
    ///
    /// # Errors
    /// The database's.
    pub async fn get(&self, what: &Named<'_>) -> Result<Option<Arc<StoredImage>>, Fault> {
        let (reply, answer) = oneshot::channel();
        let (school_code, record_key) = (what.school_code.to_owned(), what.record_key.to_owned());
        let waiting = Waiting { kind: what.kind, school_code, record_key, reply };
        let gone = |_| Fault::new(Reason::Unavailable);
        self.0.send(waiting).await.map_err(|_| Fault::new(Reason::Unavailable))?;
        Ok(answer.await.map_err(gone)??)
    }
}

async fn serve<S: RecordSet>(pool: PgPool, from: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    let mut waiting = Vec::with_capacity(MOST);
    loop {
        if from.lock().await.recv_many(&mut waiting, MOST).await == 0 {
            return;
        }
        let mut by_kind: BTreeMap<i32, Vec<Waiting>> = BTreeMap::new();
        for one in waiting.drain(..).filter(|one| !one.reply.is_closed()) {
            by_kind.entry(one.kind).or_default().push(one);
        }
        for (kind, waiting) in by_kind {
            let found = fetch::<S>(&pool, kind, &waiting).await.map_err(|error| {
                let text = error.to_string().into();
                Failed { reason: Fault::from(error).reason(), text }
            });
            answer(waiting, &found);
        }
    }
}

type Images = HashMap<(String, String), Arc<StoredImage>>;

async fn fetch<S: RecordSet>(pool: &PgPool, kind: i32, waiting: &[Waiting]) -> Result<Images, DbError> {
    let Some(table) = S::table(kind) else { return Ok(Images::new()) };
    let mut names: Vec<(&str, &str)> =
        waiting.iter().map(|one| (one.school_code.as_str(), one.record_key.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    let mut conn = pool.acquire().await?;
    let found = get_many(&mut conn, table, &names).await?;
    let keyed = found
        .into_iter()
        .map(|image| ((image.school_code.clone(), image.record_key.clone()), Arc::new(image)));
    Ok(keyed.collect())
}

fn answer(waiting: Vec<Waiting>, found: &Result<Images, Failed>) {
    for Waiting { school_code, record_key, reply, .. } in waiting {
        let image = found.as_ref().map(|images| images.get(&(school_code, record_key)).cloned());
        // One that has gone away asks for nothing any more.
        let _ = reply.send(image.map_err(Clone::clone));
    }
}
