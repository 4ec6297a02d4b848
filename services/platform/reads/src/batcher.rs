//! Reads of many callers in one statement: while one runs, those who come wait together for the next. Nobody waits for a
//! timer, and two who want the same record get the same row.
use crate::reads::Named;
use eduhub_changelog::{RecordSet, StoredImage, get_many};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, PgPool};
use sqlx::{Postgres, pool::PoolConnection};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{Mutex, mpsc, oneshot};

/// Tasks: while the statement of one runs in the database, the other gives out its answers. More statements at once would be
/// smaller ones, and each costs as much as several records.
const TASKS: usize = 2;
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
        let from = Arc::new(Mutex::new(Source { queue: from, conn: None }));
        for _ in 0..TASKS {
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

/// What those who wait are served from: their queue, and a connection that is kept while it is not empty, since one from the pool
/// is asked first whether it is alive.
struct Source {
    queue: mpsc::Receiver<Waiting>,
    conn: Option<PoolConnection<Postgres>>,
}

async fn serve<S: RecordSet>(pool: PgPool, from: Arc<Mutex<Source>>) {
    let mut waiting = Vec::with_capacity(MOST);
    loop {
        let mut source = from.lock().await;
        if source.queue.is_empty() {
            source.conn = None;
        }
        if source.queue.recv_many(&mut waiting, MOST).await == 0 {
            return;
        }
        let mut by_kind: BTreeMap<i32, Vec<Waiting>> = BTreeMap::new();
        for one in waiting.drain(..).filter(|one| !one.reply.is_closed()) {
            by_kind.entry(one.kind).or_default().push(one);
        }
        let mut found = Vec::with_capacity(by_kind.len());
        for (kind, waiting) in by_kind {
            let images = fetch::<S>(&pool, &mut source.conn, kind, &waiting).await.map_err(|error| {
                let text = error.to_string().into();
                Failed { reason: Fault::from(error).reason(), text }
            });
            found.push((waiting, images));
        }
        drop(source);
        for (waiting, images) in found {
            answer(waiting, &images);
        }
    }
}

type Images = HashMap<(String, String), Arc<StoredImage>>;

async fn fetch<S: RecordSet>(
    pool: &PgPool,
    held: &mut Option<PoolConnection<Postgres>>,
    kind: i32,
    waiting: &[Waiting],
) -> Result<Images, DbError> {
    let Some(table) = S::table(kind) else { return Ok(Images::new()) };
    let mut names: Vec<(&str, &str)> =
        waiting.iter().map(|one| (one.school_code.as_str(), one.record_key.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    let conn = match held.take() {
        Some(conn) => conn,
        None => pool.acquire().await?,
    };
    // Given back only when it is sound: after an error the pool looks at it first.
    let found = get_many(held.insert(conn), table, &names).await.inspect_err(|_| drop(held.take()))?;
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
