//! Writes rows and their log entries: new ones by COPY, changed ones in one statement.
use crate::{
    copy,
    table::{Column, ColumnType, Table},
};
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, query::Query};
use time::Date;
use uuid::Uuid;

/// Value of a typed column.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValue {
    /// Absent.
    Null,
    /// Text.
    Text(String),
    /// Whole number.
    Int(i32),
    /// Decimal number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// Date.
    Date(Date),
    /// Blind index.
    Bytes(Vec<u8>),
    /// Words in the order of their bytes, each once, with a space between.
    Words(String),
}

/// New state of one row. The caller holds the school's lock and has read the version before ([`crate::prefetch`]).
#[derive(Debug, Clone)]
pub struct RowChange {
    /// Id of the record; a new one for a new record.
    pub record_id: Uuid,
    /// Full key.
    pub record_key: String,
    /// School year of a yearly kind, else 0.
    pub school_year: i32,
    /// New version.
    pub version: i64,
    /// Keyed digest.
    pub digest: Vec<u8>,
    /// Encoded message without secrets; empty for a withdrawal.
    pub body: Vec<u8>,
    /// Sealed secret.
    pub secret: Option<Vec<u8>>,
    /// Withdrawal.
    pub withdrawn: bool,
    /// Values of the table's columns, in their order; empty for a withdrawal.
    pub columns: Vec<ColumnValue>,
}

/// Who writes, and in which session.
#[derive(Debug, Clone)]
pub struct WriteContext {
    /// School.
    pub school_code: String,
    /// Grant under which it is written.
    pub grant_id: Option<Uuid>,
    /// Principal.
    pub actor: String,
    /// Push session.
    pub session_id: Option<Uuid>,
}

const FIXED: usize = 12;
/// New rows from which on COPY is cheaper than the statement: it takes four round trips more.
const WORTH_COPYING: usize = 16;

/// The statement: the log entry takes the superseded image from the row, then the row takes the entry's position. Positions
/// go on where this transaction's last entry stands: `seq` orders the entries of one transaction, and only those.
pub(crate) fn sql(table: &str, kind: i32, columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
    let arrays: String =
        columns.iter().enumerate().map(|(i, c)| format!(", ${}::{}", FIXED + 1 + i, c.ty.array())).collect();
    let sets: String = names.iter().map(|n| format!(", {n} = excluded.{n}")).collect();
    let plain: String = names.iter().map(|n| format!(", {n}")).collect();
    let from_input: String = columns.iter().map(|c| format!(", {}", c.ty.input(&c.name))).collect();
    format!(
        "with i as (
           select * from unnest($5::uuid[], $6::text[], $7::int[], $8::int8[], $9::bytea[], $10::bytea[], $11::bytea[],
             $12::bool[]{arrays}) with ordinality
             as t(record_id, record_key, school_year, version, digest, body, secret, withdrawn{plain}, place)
         ), x as materialized (
           select pg_current_xact_id()::text::int8 as xid
         ), turn as materialized (
           select x.xid, coalesce((select max(l.seq) from change_log l where l.xid = x.xid), 0) as seq from x
         ), entry as (
           insert into change_log (xid, seq, school_code, kind, record_id, record_key, op, version, digest, before_version,
             before_digest, before_body, before_secret, before_withdrawn, before_changed_at, grant_id, actor, session_id)
           select turn.xid, turn.seq + i.place, $1, {kind}, i.record_id, i.record_key, case when i.withdrawn then 2 else 1 end, i.version, i.digest,
             p.version, p.digest, p.body, p.secret, p.withdrawn, p.changed_at, $2, $3, $4
           from i cross join turn left join {table} p on p.record_id = i.record_id
           returning record_id, xid, seq, changed_at
         )
         insert into {table} as r (record_id, school_code, school_year, record_key, version, digest, body, secret,
           withdrawn, xid, seq, changed_at{plain})
         select i.record_id, $1, i.school_year, i.record_key, i.version, i.digest, i.body, i.secret, i.withdrawn,
           e.xid, e.seq, e.changed_at{from_input}
         from i join entry e using (record_id)
         on conflict (record_id) do update set version = excluded.version, digest = excluded.digest,
           body = excluded.body, secret = excluded.secret, withdrawn = excluded.withdrawn, xid = excluded.xid,
           seq = excluded.seq, changed_at = excluded.changed_at{sets}"
    )
}

/// Writes changed rows of one kind with their log entries. Unchanged rows must not be given: they would get an entry.
pub async fn write(
    conn: &mut PgConnection,
    table: &Table,
    who: &WriteContext,
    rows: &[RowChange],
) -> Result<(), DbError> {
    let (new, mut changed): (Vec<&RowChange>, Vec<&RowChange>) =
        rows.iter().partition(|r| r.version == 1 && !r.withdrawn);
    if new.len() >= WORTH_COPYING {
        copy::insert(conn, table, who, &new).await?;
    } else {
        changed.extend(new);
    }
    merge(conn, table, who, &changed).await
}

async fn merge(
    conn: &mut PgConnection,
    table: &Table,
    who: &WriteContext,
    rows: &[&RowChange],
) -> Result<(), DbError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut query = sqlx::query(AssertSqlSafe(table.write_sql.clone()))
        .bind(&who.school_code)
        .bind(who.grant_id)
        .bind(&who.actor)
        .bind(who.session_id)
        .bind(rows.iter().map(|r| r.record_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.record_key.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.school_year).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.version).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.digest.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.body.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.secret.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|r| r.withdrawn).collect::<Vec<_>>());
    for (i, column) in table.columns.iter().enumerate() {
        query = bind_column(query, column.ty, rows, i);
    }
    query.execute(conn).await?;
    Ok(())
}

type PgQuery<'q> = Query<'q, Postgres, sqlx::postgres::PgArguments>;

fn bind_column<'q>(query: PgQuery<'q>, ty: ColumnType, rows: &[&'q RowChange], i: usize) -> PgQuery<'q> {
    macro_rules! column {
        ($variant:ident, $map:expr) => {
            rows.iter()
                .map(|r| match r.columns.get(i) {
                    Some(ColumnValue::$variant(v)) => Some($map(v)),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
    }
    match ty {
        ColumnType::Text => query.bind(column!(Text, |v: &'q String| v.as_str())),
        ColumnType::Int => query.bind(column!(Int, |v: &i32| *v)),
        ColumnType::Number => query.bind(column!(Number, |v: &f64| *v)),
        ColumnType::Flag => query.bind(column!(Flag, |v: &bool| *v)),
        ColumnType::Date => query.bind(column!(Date, |v: &Date| *v)),
        ColumnType::BlindIndex => query.bind(column!(Bytes, |v: &'q Vec<u8>| v.as_slice())),
        ColumnType::Words => query.bind(column!(Words, |v: &'q String| v.as_str())),
    }
}
