//! Rows sent by binary COPY: half the database time of an INSERT, which parses and plans by the batch and builds an array per
//! column.
use crate::DbError;
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Start of a binary COPY: signature, flags, length of the (absent) header extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// End: a row of -1 fields.
const TRAILER: [u8; 2] = (-1i16).to_be_bytes();
/// Day 0 of Postgres, as a Julian day and in seconds of the Unix clock.
const POSTGRES_JULIAN: i32 = 2_451_545;
const POSTGRES_EPOCH: i64 = 946_684_800;

/// Rows in the format of binary COPY. Each begins with [`CopyRows::row`]; then its fields follow in the order of the
/// statement, each as the type of its column: nothing here can check that, Postgres refuses what does not fit.
pub struct CopyRows(Vec<u8>);

impl CopyRows {
    /// No rows yet, with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        let mut out = Vec::with_capacity(bytes + HEADER.len() + TRAILER.len());
        out.extend_from_slice(HEADER);
        Self(out)
    }

    /// Sends the rows; `statement` is `copy table (columns) from stdin (format binary)`.
    ///
    /// # Errors
    /// The database's.
    pub async fn send(self, conn: &mut PgConnection, statement: &str) -> Result<(), DbError> {
        // The driver tells of every statement but this kind.
        tracing::debug!(statement, "copy");
        let mut copy = conn.copy_in_raw(statement).await?;
        copy.send(self.finish()).await?;
        copy.finish().await?;
        Ok(())
    }

    fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&TRAILER);
        self.0
    }

    /// Begins a row of so many fields.
    pub fn row(&mut self, fields: usize) {
        self.0.extend_from_slice(&i16::try_from(fields).unwrap_or_default().to_be_bytes());
    }

    /// An absent value.
    pub fn null(&mut self) {
        self.0.extend_from_slice(&(-1i32).to_be_bytes());
    }

    /// `text`, `bytea`, or another type's own bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        // A value is limited by the size of a message: far below 2 GiB.
        self.0.extend_from_slice(&i32::try_from(value.len()).unwrap_or_default().to_be_bytes());
        self.0.extend_from_slice(value);
    }

    /// `smallint`; a number that does not fit is 0.
    pub fn int2(&mut self, value: i32) {
        self.bytes(&i16::try_from(value).unwrap_or_default().to_be_bytes());
    }

    /// `integer`.
    pub fn int4(&mut self, value: i32) {
        self.bytes(&value.to_be_bytes());
    }

    /// `bigint`.
    pub fn int8(&mut self, value: i64) {
        self.bytes(&value.to_be_bytes());
    }

    /// `double precision`.
    pub fn float8(&mut self, value: f64) {
        self.bytes(&value.to_be_bytes());
    }

    /// `boolean`.
    pub fn flag(&mut self, value: bool) {
        self.bytes(&[u8::from(value)]);
    }

    /// `uuid`.
    pub fn uuid(&mut self, value: Uuid) {
        self.bytes(value.as_bytes());
    }

    /// `date`.
    pub fn date(&mut self, value: Date) {
        self.int4(days(value));
    }

    /// `tsvector` of words without their places; they come in the order of their bytes, each once, with a space between.
    pub fn words(&mut self, words: &str) {
        let words: Vec<&str> = words.split_terminator(' ').collect();
        let lengths: usize = words.iter().map(|word| word.len() + 3).sum();
        self.0.extend_from_slice(&i32::try_from(lengths + 4).unwrap_or_default().to_be_bytes());
        self.0.extend_from_slice(&i32::try_from(words.len()).unwrap_or_default().to_be_bytes());
        for word in words {
            self.0.extend_from_slice(word.as_bytes());
            // End of the text, number of places.
            self.0.extend_from_slice(&[0, 0, 0]);
        }
    }

    /// `timestamptz`.
    pub fn timestamp(&mut self, value: OffsetDateTime) {
        self.int8((value.unix_timestamp() - POSTGRES_EPOCH) * 1_000_000 + i64::from(value.microsecond()));
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
        let mut out = CopyRows::with_capacity(0);
        out.row(2);
        out.bytes(b"ab");
        out.null();
        let bytes = out.finish();
        assert_eq!(&bytes[..19], HEADER);
        assert_eq!(&bytes[19..], [0, 2, 0, 0, 0, 2, b'a', b'b', 255, 255, 255, 255, 255, 255]);
    }
}
