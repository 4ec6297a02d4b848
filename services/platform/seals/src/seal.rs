//! Making and finding seals.
use eduhub_changelog::{Position, RecordSet, Side, Table, school_position, seal_state};
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::to_proto;
use eduhub_pg::DbError;
use eduhub_proto::{
    common::v1::{Dataset, SchoolDigest, Seal, SealRequest},
    dictionary::kinds_of,
};
use prost::Message;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

/// A seal with the position it stands for.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// What callers see.
    pub head: Seal,
    /// Position of the log.
    pub at: Position,
}

impl Sealed {
    /// The state that it fixes.
    pub fn side(&self) -> Side<'_> {
        Side { school_code: &self.head.school_code, school_year: self.head.school_year, at: self.at }
    }

    /// Tables of the kinds that it holds.
    pub fn tables<S: RecordSet>(&self) -> Vec<&'static Table> {
        tables::<S>(Dataset::try_from(self.head.dataset).unwrap_or_default())
    }
}

fn tables<S: RecordSet>(dataset: Dataset) -> Vec<&'static Table> {
    kinds_of(dataset).iter().filter_map(|k| S::table(*k as i32)).collect()
}

/// Fixes the state of a dataset; the same id again gives the same seal. ABORTED/CONFLICT when the same id is being sealed at
/// this moment: then it is there once this transaction has ended. Run in a REPEATABLE READ transaction: position,
/// rows and counts must come from one snapshot.
pub async fn create<S: RecordSet>(conn: &mut PgConnection, request: &SealRequest) -> Result<Seal, Fault> {
    let seal_id =
        Uuid::parse_str(&request.seal_id).map_err(|_| Fault::invalid("seal_id", "must be a UUID"))?;
    let dataset = Dataset::try_from(request.dataset).unwrap_or_default();
    let tables = tables::<S>(dataset);
    if tables.is_empty() {
        return Err(Fault::invalid("dataset", "is not held by this service"));
    }
    if let Some(sealed) = find(conn, seal_id).await? {
        let same = sealed.head.school_code == request.school_code
            && sealed.head.school_year == request.school_year
            && sealed.head.dataset == request.dataset;
        return if same { Ok(sealed.head) } else { Err(Fault::new(Reason::AlreadyExists)) };
    }
    let at = school_position(conn, &request.school_code).await?;
    let side = Side { school_code: &request.school_code, school_year: request.school_year, at };
    let state = seal_state(conn, &tables, &side).await?;
    let (held, open_issues) = loose_ends(conn, &request.school_code, &tables).await?;
    let head = Seal {
        seal_id: seal_id.to_string(),
        school_code: request.school_code.clone(),
        school_year: request.school_year,
        dataset: request.dataset,
        counts: state.counts,
        digest: state.digest,
        sealed_at: Some(to_proto(OffsetDateTime::now_utc())),
        held,
        open_issues,
        traceparent: last_traceparent(conn, &request.school_code).await?,
    };
    insert(conn, seal_id, &head, at).await?;
    Ok(head)
}

async fn insert(conn: &mut PgConnection, seal_id: Uuid, head: &Seal, at: Position) -> Result<(), Fault> {
    sqlx::query(
        "insert into seal (seal_id, school_code, school_year, dataset, xid, seq, head) values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(seal_id)
    .bind(&head.school_code)
    .bind(head.school_year)
    .bind(i16::try_from(head.dataset).unwrap_or_default())
    .bind(at.xid)
    .bind(at.seq)
    .bind(head.encode_to_vec())
    .execute(conn)
    .await
    .map_err(DbError::from)
    .map_err(|e| if e.is_unique("seal_pkey") { Fault::new(Reason::Conflict) } else { e.into() })?;
    Ok(())
}

/// Held records and open warnings of these kinds.
async fn loose_ends(
    conn: &mut PgConnection,
    school_code: &str,
    tables: &[&Table],
) -> Result<(u64, u64), Fault> {
    let kinds: Vec<i16> = tables.iter().map(|t| i16::try_from(t.meta.kind).unwrap_or_default()).collect();
    let row = sqlx::query(
        "select (select count(*) from held_record where school_code = $1 and kind = any($2)),
           (select count(*) from data_issue where school_code = $1 and kind = any($2) and closed_at is null and severity = 1)",
    )
    .bind(school_code)
    .bind(kinds)
    .fetch_one(conn)
    .await
    .map_err(DbError::from)?;
    let number = |i: usize| row.try_get::<i64, _>(i).map(i64::unsigned_abs).map_err(DbError::from);
    Ok((number(0)?, number(1)?))
}

async fn last_traceparent(conn: &mut PgConnection, school_code: &str) -> Result<String, Fault> {
    let found: Option<String> = sqlx::query_scalar(
        "select traceparent from push_session where school_code = $1 and traceparent is not null
         order by opened_at desc limit 1",
    )
    .bind(school_code)
    .fetch_optional(conn)
    .await
    .map_err(DbError::from)?;
    Ok(found.unwrap_or_default())
}

async fn find(conn: &mut PgConnection, seal_id: Uuid) -> Result<Option<Sealed>, Fault> {
    let row = sqlx::query("select head, xid, seq from seal where seal_id = $1")
        .bind(seal_id)
        .fetch_optional(conn)
        .await
        .map_err(DbError::from)?;
    let Some(row) = row else { return Ok(None) };
    let head = Seal::decode(row.try_get::<&[u8], _>(0).map_err(DbError::from)?).map_err(Fault::internal)?;
    let at =
        Position { xid: row.try_get(1).map_err(DbError::from)?, seq: row.try_get(2).map_err(DbError::from)? };
    Ok(Some(Sealed { head, at }))
}

/// A seal by id; NOT_FOUND when there is none.
pub async fn load(conn: &mut PgConnection, seal_id: &str) -> Result<Sealed, Fault> {
    let id = Uuid::parse_str(seal_id).map_err(|_| Fault::invalid("seal_id", "must be a UUID"))?;
    find(conn, id).await?.ok_or_else(|| Fault::new(Reason::NotFound))
}

/// Digest of everything live in a school. Run in a REPEATABLE READ transaction.
pub async fn school_digest<S: RecordSet>(
    conn: &mut PgConnection,
    school_code: &str,
) -> Result<SchoolDigest, Fault> {
    let tables: Vec<&Table> = S::tables().iter().collect();
    let state = eduhub_changelog::school_digest(conn, &tables, school_code).await?;
    Ok(SchoolDigest { school_code: school_code.to_owned(), counts: state.counts, digest: state.digest })
}
