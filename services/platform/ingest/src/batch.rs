//! One batch in one transaction.
use crate::{
    counts, duplicates, held,
    incoming::Incoming,
    issues,
    outcome::{Earlier, Outcome, Tally},
    prepare::Preparer,
    push::Pen,
    records,
    session::{self, db},
    stored::{self, StoredRules, Written},
    waiting,
};
use eduhub_changelog::{RecordSet, WriteContext, lock_school};
use eduhub_faults::{Fault, Problem, Reason};
use eduhub_proto::common::v1::{BatchReply, PushMode, Withdrawal};
use prost::Message;
use sqlx::PgConnection;
use uuid::Uuid;

/// Findings that one reply may carry; the counts are always complete.
const MAX_PROBLEMS: usize = 2_000;

/// A batch ready to be applied.
pub(crate) struct Batch {
    pub session_id: Uuid,
    pub mode: PushMode,
    pub number: u32,
    pub digest: [u8; 32],
    pub record_count: i64,
    pub incoming: Vec<Incoming>,
    pub withdrawals: Vec<Withdrawal>,
    /// Fields of the batch itself that this version does not know.
    pub unknown: Vec<Problem>,
    pub school_year: i32,
    pub max_held: i64,
}

impl Batch {
    /// Records and withdrawals.
    fn size(&self) -> usize {
        self.incoming.len() + self.withdrawals.len()
    }
}

/// What a batch came to.
pub(crate) struct Applied {
    pub reply: BatchReply,
    /// What became of its records now: nothing, when its answer is given again.
    pub tally: Tally,
}

/// Applies the next batch of a session, or gives again the answer that it got before.
pub(crate) async fn apply_once<S: RecordSet>(
    conn: &mut PgConnection,
    who: &WriteContext,
    preparer: &Preparer<'_, S>,
    rules: &dyn StoredRules,
    pen: &mut Pen,
    batch: Batch,
) -> Result<Applied, Fault> {
    lock_school(conn, &who.school_code).await.map_err(db)?;
    let mut session = session::load(conn, batch.session_id).await?;
    let number = i32::try_from(batch.number).map_err(|_| Fault::new(Reason::BatchOutOfOrder))?;
    if (1..=session.last_batch).contains(&number) {
        let reply = repeat(conn, &batch, number).await?;
        return Ok(Applied { reply, tally: Tally::default() });
    }
    if session.receipt.is_some() {
        return Err(Fault::new(Reason::SessionEnded));
    }
    if number != session.last_batch + 1 {
        return Err(Fault::new(Reason::BatchOutOfOrder).meta("last_batch", session.last_batch));
    }
    if batch.mode == PushMode::Full {
        pen.take(batch.size()).await;
        remember(conn, &batch).await?;
    }
    let (digest, record_count) = (batch.digest, batch.record_count);
    let applied = apply::<S>(conn, who, preparer, rules, pen, batch, &mut Earlier::default()).await?;
    let reply = &applied.reply;
    counts::add(&mut session.totals, reply.counts.as_ref().unwrap_or(&Default::default()));
    session::advance(conn, &session, number, &digest, reply.encode_to_vec(), record_count).await?;
    Ok(applied)
}

async fn repeat(conn: &mut PgConnection, batch: &Batch, number: i32) -> Result<BatchReply, Fault> {
    let stored = session::stored_batch(conn, batch.session_id, number).await?;
    let (digest, reply) = stored.ok_or_else(|| Fault::new(Reason::SessionEnded))?;
    if digest != batch.digest {
        return Err(Fault::new(Reason::BatchContentChanged).meta("batch", number));
    }
    BatchReply::decode(reply.as_slice()).map_err(Fault::internal)
}

/// Notes the keys of a FULL session, refused and held ones included: the source has them, so they are not withdrawn.
async fn remember(conn: &mut PgConnection, batch: &Batch) -> Result<(), Fault> {
    sqlx::query(
        "insert into push_seen (session_id, kind, record_key)
         select $1, t.* from unnest($2::int2[], $3::text[]) as t on conflict do nothing",
    )
    .bind(batch.session_id)
    .bind(batch.incoming.iter().map(|r| i16::try_from(r.kind).unwrap_or_default()).collect::<Vec<_>>())
    .bind(batch.incoming.iter().map(|r| r.record_key.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await
    .map_err(db)?;
    Ok(())
}

/// Applies a batch and says what happened. Rolled back by VALIDATE_ONLY, which hands over what earlier batches of the stream
/// would have left: nothing of it is in the tables.
pub(crate) async fn apply<S: RecordSet>(
    conn: &mut PgConnection,
    who: &WriteContext,
    preparer: &Preparer<'_, S>,
    rules: &dyn StoredRules,
    pen: &mut Pen,
    batch: Batch,
    earlier: &mut Earlier,
) -> Result<Applied, Fault> {
    let complete = earlier.known.is_empty();
    let mut out = Outcome::of(&batch.incoming);
    out.counts.translated = batch.incoming.iter().map(|r| u64::from(r.translated)).sum();
    let held_already = held::count(conn, &who.school_code).await.map_err(db)?;
    let room = batch.max_held - held_already;
    let decided = records::decide::<S>(conn, who, batch.incoming, room, &mut earlier.known, &mut out).await?;
    pen.take(records::rows(&decided) + batch.withdrawals.len()).await;
    records::put(conn, who, rules, decided).await?;
    withdraw_named::<S>(conn, who, &batch.withdrawals, batch.school_year, &mut out).await?;
    // What a batch brings and takes away again is no parent of what waited.
    for gone in &out.withdrawn {
        earlier.known.remove(gone);
    }
    if held_already > 0 || !out.held.is_empty() {
        // A second image of a key is refused beside the first, which may wait.
        let refused = out.refused.iter().filter(|place| !out.held.contains(*place));
        let settled = out.accepted.iter().chain(refused).chain(&out.withdrawn);
        let settled: Vec<(i32, &str)> = settled.map(|(k, key)| (*k, key.as_str())).collect();
        held::forget(conn, &who.school_code, &settled).await.map_err(db)?;
        waiting::admit::<S>(conn, who, preparer, rules, batch.max_held, &mut earlier.known, &mut out).await?;
    }
    let written = Written::of(who, batch.school_year, &out, complete);
    // Before the issues of withdrawn records are closed: they tell who else was concerned.
    let stored = stored::judge(conn, rules, &written).await?;
    let settled: Vec<(i32, &str)> =
        out.accepted.iter().chain(&out.refused).map(|(k, key)| (*k, key.as_str())).collect();
    issues::sync(conn, &who.school_code, &settled, &out.problems).await.map_err(db)?;
    issues::close_all(conn, &who.school_code, &out.withdrawn).await.map_err(db)?;
    duplicates::find::<S>(conn, who, &mut out).await?;
    out.counts.warnings += stored.len() as u64;
    out.problems.extend(stored);
    earlier.add(&out);
    let waited_for: Vec<_> = out.waited_for.into_iter().collect();
    let mut root_causes = if waited_for.is_empty() {
        vec![]
    } else {
        held::root_causes(conn, &who.school_code, Some(&waited_for)).await.map_err(db)?
    };
    root_causes.iter_mut().for_each(|cause| earlier.explain(cause));
    let mut problems = batch.unknown;
    problems.extend(out.problems.into_iter().map(|(_, p)| p));
    let problems_omitted = problems.len().saturating_sub(MAX_PROBLEMS) as u64;
    problems.truncate(MAX_PROBLEMS);
    let (number, counts, hint) = (batch.number, Some(out.counts), None);
    let reply = BatchReply { number, counts, problems, root_causes, problems_omitted, hint };
    Ok(Applied { reply, tally: out.tally })
}

async fn withdraw_named<S: RecordSet>(
    conn: &mut PgConnection,
    who: &WriteContext,
    withdrawals: &[Withdrawal],
    school_year: i32,
    out: &mut Outcome,
) -> Result<(), Fault> {
    // Children before parents: the order of the tables, backwards.
    for table in S::tables().iter().rev() {
        let keys: Vec<String> = withdrawals
            .iter()
            .filter(|w| w.kind == table.meta.kind)
            .map(|w| table.meta.full_key(school_year, &w.record_key))
            .collect();
        if !keys.is_empty() {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            records::withdraw(conn, table, who, &keys, out).await?;
        }
    }
    Ok(())
}
