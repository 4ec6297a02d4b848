//! New rows and their log entries by binary COPY.
use crate::{
    table::Table,
    write::{ColumnValue, RowChange, WriteContext},
};
use eduhub_pg::{CopyRows, DbError};
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

const ROW: &str = "record_id, school_code, school_year, record_key, version, digest, body, secret, withdrawn, xid, seq, changed_at";
const ROW_FIELDS: usize = 12;
const ENTRY: &str = "xid, seq, school_code, kind, record_id, record_key, op, version, digest, grant_id, actor, session_id, changed_at";
const ENTRY_FIELDS: usize = 13;
/// `change_log.op` of a record that is there.
const UPSERT: i32 = 1;

/// Statement that takes the rows of a table.
pub(crate) fn sql<'a>(table: &str, columns: impl Iterator<Item = &'a str>) -> String {
    let columns: String = columns.map(|c| format!(", {c}")).collect();
    format!("copy {table} ({ROW}{columns}) from stdin (format binary)")
}

/// Place in the log of what a transaction writes next, and its time.
struct Turn {
    xid: i64,
    seq: i64,
    now: OffsetDateTime,
}

/// Writes rows that were not there before, each at version 1, with their entries.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    table: &Table,
    who: &WriteContext,
    rows: &[&RowChange],
) -> Result<(), DbError> {
    let turn = turn(conn).await?;
    let image: usize = rows.iter().map(|r| r.body.len() + r.record_key.len()).sum();
    let mut out = CopyRows::with_capacity(image + rows.len() * 300);
    for (row, seq) in rows.iter().zip(turn.seq..) {
        image_row(&mut out, table, who, row, &turn, seq);
    }
    out.send(conn, &table.copy_sql).await?;
    let mut out = CopyRows::with_capacity(rows.len() * 300);
    for (row, seq) in rows.iter().zip(turn.seq..) {
        entry(&mut out, table, who, row, &turn, seq);
    }
    out.send(conn, &format!("copy change_log ({ENTRY}) from stdin (format binary)")).await
}

async fn turn(conn: &mut PgConnection) -> Result<Turn, DbError> {
    // The sub-query keeps the function, which is volatile, out of the index condition.
    let row = sqlx::query(
        "with x as materialized (select pg_current_xact_id()::text::int8 as xid)
         select x.xid, coalesce((select max(l.seq) from change_log l where l.xid = x.xid), 0), now() from x",
    )
    .fetch_one(conn)
    .await?;
    Ok(Turn { xid: row.try_get(0)?, seq: row.try_get::<i64, _>(1)? + 1, now: row.try_get(2)? })
}

fn image_row(out: &mut CopyRows, table: &Table, who: &WriteContext, row: &RowChange, turn: &Turn, seq: i64) {
    out.row(ROW_FIELDS + table.columns.len());
    out.uuid(row.record_id);
    out.bytes(who.school_code.as_bytes());
    out.int4(row.school_year);
    out.bytes(row.record_key.as_bytes());
    out.int8(row.version);
    out.bytes(&row.digest);
    out.bytes(&row.body);
    match &row.secret {
        Some(secret) => out.bytes(secret),
        None => out.null(),
    }
    out.flag(row.withdrawn);
    out.int8(turn.xid);
    out.int8(seq);
    out.timestamp(turn.now);
    for i in 0..table.columns.len() {
        value(out, row.columns.get(i).unwrap_or(&ColumnValue::Null));
    }
}

fn entry(out: &mut CopyRows, table: &Table, who: &WriteContext, row: &RowChange, turn: &Turn, seq: i64) {
    out.row(ENTRY_FIELDS);
    out.int8(turn.xid);
    out.int8(seq);
    out.bytes(who.school_code.as_bytes());
    out.int2(table.meta.kind);
    out.uuid(row.record_id);
    out.bytes(row.record_key.as_bytes());
    out.int2(UPSERT);
    out.int8(row.version);
    out.bytes(&row.digest);
    match who.grant_id {
        Some(grant) => out.uuid(grant),
        None => out.null(),
    }
    out.bytes(who.actor.as_bytes());
    match who.session_id {
        Some(session) => out.uuid(session),
        None => out.null(),
    }
    out.timestamp(turn.now);
}

fn value(out: &mut CopyRows, value: &ColumnValue) {
    match value {
        ColumnValue::Null => out.null(),
        ColumnValue::Text(text) => out.bytes(text.as_bytes()),
        ColumnValue::Int(n) => out.int4(*n),
        ColumnValue::Number(x) => out.float8(*x),
        ColumnValue::Flag(flag) => out.flag(*flag),
        ColumnValue::Date(date) => out.date(*date),
        ColumnValue::Bytes(bytes) => out.bytes(bytes),
        ColumnValue::Words(words) => out.words(words),
    }
}
