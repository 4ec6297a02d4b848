//! The explicit end of a session: only here a FULL session withdraws what it did not name.
use crate::{
    counts, duplicates, held, issues, marks,
    outcome::{Outcome, Tally},
    receipt, records,
    session::{self, Session, db},
    stored::{self, Late, StoredRules, Written},
    timestamps::to_proto,
};
use eduhub_changelog::{RecordSet, Table, WriteContext, lock_school};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{PushEnd, PushMode, PushOpen, PushReceipt};
use eduhub_receipts::Stamp;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

/// Rows that one withdrawal statement takes.
const CHUNK: usize = 2_000;

/// A session that is to end, and what its end needs.
pub(crate) struct Ending<'a> {
    pub who: &'a WriteContext,
    pub rules: &'a dyn StoredRules,
    pub stamp: &'a Stamp,
    pub session_id: Uuid,
    pub open: &'a PushOpen,
    pub end: &'a PushEnd,
}

/// Completes a session and gives its receipt, with what became of records only now; the same end twice gives the same receipt.
pub(crate) async fn complete<S: RecordSet>(
    conn: &mut PgConnection,
    ending: Ending<'_>,
) -> Result<(PushReceipt, Tally), Fault> {
    let Ending { who, rules, stamp, session_id, open, end } = ending;
    lock_school(conn, &who.school_code).await.map_err(db)?;
    let mut session = session::load(conn, session_id).await?;
    if let Some(receipt) = session.receipt {
        return if receipt.digest == end.digest {
            Ok((receipt, Tally::default()))
        } else {
            Err(Fault::new(Reason::SessionEnded))
        };
    }
    let mut hasher = Sha256::new();
    for digest in session::batch_digests(conn, session_id).await? {
        hasher.update(digest);
    }
    let digest = hasher.finalize().to_vec();
    if end.record_count != session.record_count as u64 || end.digest != digest {
        return Err(Fault::new(Reason::EndMismatch)
            .meta("received_records", session.record_count)
            .meta("last_batch", session.last_batch));
    }
    let mut tally = Tally::default();
    if open.mode == PushMode::Full as i32 {
        let withdrawn = withdraw_unnamed::<S>(conn, who, rules, session_id, open).await?;
        counts::add(&mut session.totals, &withdrawn.counts);
        tally = withdrawn.tally;
    }
    let late = late(conn, who, &session).await?;
    late_duplicates::<S>(conn, who, &late).await?;
    rules.judge_late(conn, &who.school_code, &late).await?;
    let receipt = PushReceipt {
        session_id: session_id.to_string(),
        batches: session.last_batch.unsigned_abs(),
        record_count: end.record_count,
        digest,
        totals: Some(session.totals),
        waiting: held::root_causes(conn, &who.school_code, None).await.map_err(db)?,
        completed_at: Some(to_proto(OffsetDateTime::now_utc())),
        signed: String::new(),
    };
    let receipt = receipt::signed(stamp, who, open, receipt).map_err(Fault::internal)?;
    session::complete(conn, session_id, &receipt).await?;
    Ok((receipt, tally))
}

async fn withdraw_unnamed<S: RecordSet>(
    conn: &mut PgConnection,
    who: &WriteContext,
    rules: &dyn StoredRules,
    session_id: Uuid,
    open: &PushOpen,
) -> Result<Outcome, Fault> {
    let mut out = Outcome::default();
    for table in S::tables().iter().rev().filter(|t| open.full_kinds.contains(&t.meta.kind)) {
        let keys = unnamed(conn, table, who, session_id, open.school_year).await?;
        for chunk in keys.chunks(CHUNK) {
            let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
            records::withdraw(conn, table, who, &chunk, &mut out).await?;
        }
    }
    let written = Written::of(who, open.school_year, &out, true);
    stored::judge(conn, rules, &written).await?;
    issues::close_all(conn, &who.school_code, &out.withdrawn).await.map_err(db)?;
    // What waits since an earlier session is not there either.
    held::forget_unnamed(conn, &who.school_code, session_id, open).await.map_err(db)?;
    sweep::<S>(conn, &mut out).await?;
    Ok(out)
}

async fn unnamed(
    conn: &mut PgConnection,
    table: &Table,
    who: &WriteContext,
    session_id: Uuid,
    school_year: i32,
) -> Result<Vec<String>, Fault> {
    let year = if table.meta.yearly { "and r.school_year = $4" } else { "and $4 = $4" };
    let sql = format!(
        "select r.record_key from {} r where r.school_code = $1 and not r.withdrawn {year} and not exists (
           select 1 from push_seen s where s.session_id = $2 and s.kind = $3 and s.record_key = r.record_key)
         order by r.record_key",
        table.name
    );
    sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(&who.school_code)
        .bind(session_id)
        .bind(i16::try_from(table.meta.kind).unwrap_or_default())
        .bind(school_year)
        .fetch_all(conn)
        .await
        .map_err(db)
}

/// Numbers that were let go may have left another person as their only holder.
async fn sweep<S: RecordSet>(conn: &mut PgConnection, out: &mut Outcome) -> Result<(), Fault> {
    for (kind, indexes) in std::mem::take(&mut out.indexes) {
        if let Some(table) = S::table(kind) {
            duplicates::sweep(conn, table, &indexes).await.map_err(db)?;
        }
    }
    Ok(())
}

/// What is to be looked at once more: two schools that push at the same time do not see each other's batches before they commit,
/// but the later end sees both.
async fn late(conn: &mut PgConnection, who: &WriteContext, session: &Session) -> Result<Late, Fault> {
    let marked = session.opened_at > OffsetDateTime::now_utc() - marks::USEFUL;
    let Some(running) = session.opened_xmin.filter(|_| marked) else {
        return Ok(Late::Since(session.opened_xid));
    };
    let shared = marks::shared(conn, &who.school_code, session.opened_xid, running).await.map_err(db)?;
    Ok(Late::Records(shared))
}

/// Looks for duplicates of personal IDs once more.
async fn late_duplicates<S: RecordSet>(
    conn: &mut PgConnection,
    who: &WriteContext,
    late: &Late,
) -> Result<(), Fault> {
    for table in S::tables() {
        let Some(column) = table.blind_index() else { continue };
        let select = format!("select {0} from {1} where {0} is not null", column.name, table.name);
        let indexes: Vec<Vec<u8>> = match late {
            Late::Records(shared) => {
                let Some(ids) = shared.get(&table.meta.kind) else { continue };
                let sql = format!("{select} and record_id = any($1)");
                sqlx::query_scalar(AssertSqlSafe(sql)).bind(ids).fetch_all(&mut *conn).await
            }
            Late::Since(xid) => {
                let sql = format!("{select} and school_code = $1 and xid >= $2");
                let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(&who.school_code).bind(xid);
                query.fetch_all(&mut *conn).await
            }
        }
        .map_err(db)?;
        duplicates::sweep(conn, table, &indexes).await.map_err(db)?;
    }
    Ok(())
}
