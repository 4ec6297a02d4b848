//! New rows and their log entries by binary COPY: half the database time of an INSERT, which parses and plans by the batch
//! and builds an array per column.
use crate::{
    table::Table,
    write::{ColumnValue, RowChange, WriteContext},
};
use eduhub_pg::DbError;
use sqlx::{PgConnection, Row};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Start of a binary COPY: signature, flags, length of the (absent) header extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// End: a row of -1 fields.
const TRAILER: [u8; 2] = (-1i16).to_be_bytes();
/// Day 0 of Postgres, as a Julian day and in seconds of the Unix clock.
const POSTGRES_JULIAN: i32 = 2_451_545;
const POSTGRES_EPOCH: i64 = 946_684_800;

const ROW: &str = "record_id, school_code, school_year, record_key, version, digest, body, secret, withdrawn, xid, seq, changed_at";
const ROW_FIELDS: usize = 12;
const ENTRY: &str = "xid, seq, school_code, kind, record_id, record_key, op, version, digest, grant_id, actor, session_id, changed_at";
const ENTRY_FIELDS: i16 = 13;
/// `change_log.op` of a record that is there.
const UPSERT: i16 = 1;

/// Statement that takes the rows of a table.
pub(crate) fn sql<'a>(table: &str, columns: impl Iterator<Item = &'a str>) -> String {
    let columns: String = columns.map(|c| format!(", {c}")).collect();
    format!("copy {table} ({ROW}{columns}) from stdin (format binary)")
}

/// Place in the log of what a transaction writes next, and its time.
struct Turn {
    xid: i64,
    seq: i64,
    micros: i64,
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
    let mut out = Writer::with_capacity(image + rows.len() * 300);
    for (row, seq) in rows.iter().zip(turn.seq..) {
        out.row(table, who, row, &turn, seq);
    }
    send(conn, &table.copy_sql, out.finish()).await?;
    let mut out = Writer::with_capacity(rows.len() * 300);
    for (row, seq) in rows.iter().zip(turn.seq..) {
        out.entry(table, who, row, &turn, seq);
    }
    send(conn, &format!("copy change_log ({ENTRY}) from stdin (format binary)"), out.finish()).await
}

async fn turn(conn: &mut PgConnection) -> Result<Turn, DbError> {
    // The sub-query keeps the function, which is volatile, out of the index condition.
    let row = sqlx::query(
        "with x as materialized (select pg_current_xact_id()::text::int8 as xid)
         select x.xid, coalesce((select max(l.seq) from change_log l where l.xid = x.xid), 0), now() from x",
    )
    .fetch_one(conn)
    .await?;
    let now: OffsetDateTime = row.try_get(2)?;
    let micros = (now.unix_timestamp() - POSTGRES_EPOCH) * 1_000_000 + i64::from(now.microsecond());
    Ok(Turn { xid: row.try_get(0)?, seq: row.try_get::<i64, _>(1)? + 1, micros })
}

async fn send(conn: &mut PgConnection, statement: &str, bytes: Vec<u8>) -> Result<(), DbError> {
    let mut copy = conn.copy_in_raw(statement).await?;
    copy.send(bytes).await?;
    copy.finish().await?;
    Ok(())
}

/// Rows in the format of binary COPY.
struct Writer(Vec<u8>);

impl Writer {
    fn with_capacity(bytes: usize) -> Self {
        let mut out = Vec::with_capacity(bytes + HEADER.len() + TRAILER.len());
        out.extend_from_slice(HEADER);
        Self(out)
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&TRAILER);
        self.0
    }

    fn row(&mut self, table: &Table, who: &WriteContext, row: &RowChange, turn: &Turn, seq: i64) {
        self.count(i16::try_from(ROW_FIELDS + table.columns.len()).unwrap_or_default());
        self.uuid(Some(row.record_id));
        self.bytes(who.school_code.as_bytes());
        self.bytes(&row.school_year.to_be_bytes());
        self.bytes(row.record_key.as_bytes());
        self.bytes(&row.version.to_be_bytes());
        self.bytes(&row.digest);
        self.bytes(&row.body);
        match &row.secret {
            Some(secret) => self.bytes(secret),
            None => self.null(),
        }
        self.bytes(&[u8::from(row.withdrawn)]);
        self.bytes(&turn.xid.to_be_bytes());
        self.bytes(&seq.to_be_bytes());
        self.bytes(&turn.micros.to_be_bytes());
        for i in 0..table.columns.len() {
            self.value(row.columns.get(i).unwrap_or(&ColumnValue::Null));
        }
    }

    fn entry(&mut self, table: &Table, who: &WriteContext, row: &RowChange, turn: &Turn, seq: i64) {
        self.count(ENTRY_FIELDS);
        self.bytes(&turn.xid.to_be_bytes());
        self.bytes(&seq.to_be_bytes());
        self.bytes(who.school_code.as_bytes());
        self.bytes(&i16::try_from(table.meta.kind).unwrap_or_default().to_be_bytes());
        self.uuid(Some(row.record_id));
        self.bytes(row.record_key.as_bytes());
        self.bytes(&UPSERT.to_be_bytes());
        self.bytes(&row.version.to_be_bytes());
        self.bytes(&row.digest);
        self.uuid(who.grant_id);
        self.bytes(who.actor.as_bytes());
        self.uuid(who.session_id);
        self.bytes(&turn.micros.to_be_bytes());
    }

    fn value(&mut self, value: &ColumnValue) {
        match value {
            ColumnValue::Null => self.null(),
            ColumnValue::Text(text) => self.bytes(text.as_bytes()),
            ColumnValue::Int(n) => self.bytes(&n.to_be_bytes()),
            ColumnValue::Number(x) => self.bytes(&x.to_be_bytes()),
            ColumnValue::Flag(flag) => self.bytes(&[u8::from(*flag)]),
            ColumnValue::Date(date) => self.bytes(&days(*date).to_be_bytes()),
            ColumnValue::Bytes(bytes) => self.bytes(bytes),
        }
    }

    fn count(&mut self, fields: i16) {
        self.0.extend_from_slice(&fields.to_be_bytes());
    }

    fn null(&mut self) {
        self.0.extend_from_slice(&(-1i32).to_be_bytes());
    }

    fn bytes(&mut self, value: &[u8]) {
        // A record is limited by the size of a message: far below 2 GiB.
        self.0.extend_from_slice(&i32::try_from(value.len()).unwrap_or_default().to_be_bytes());
        self.0.extend_from_slice(value);
    }

    fn uuid(&mut self, value: Option<Uuid>) {
        match value {
            Some(uuid) => self.bytes(uuid.as_bytes()),
            None => self.null(),
        }
    }
}

/// Days since the first of January 2000.
fn days(date: Date) -> i32 {
    date.to_julian_day() - POSTGRES_JULIAN
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Month;

    #[test]
    fn days_count_from_2000() {
        let date = |year, month, day| Date::from_calendar_date(year, month, day).unwrap();
        assert_eq!(days(date(2000, Month::January, 1)), 0);
        assert_eq!(days(date(1999, Month::December, 31)), -1);
        assert_eq!(days(date(2026, Month::November, 22)), 9822);
    }

    #[test]
    fn fields_have_their_length_before_them() {
        let mut out = Writer::with_capacity(0);
        out.count(2);
        out.bytes(b"ab");
        out.null();
        let bytes = out.finish();
        assert_eq!(&bytes[..19], HEADER);
        assert_eq!(&bytes[19..], [0, 2, 0, 0, 0, 2, b'a', b'b', 255, 255, 255, 255, 255, 255]);
    }
}
