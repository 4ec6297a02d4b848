//! A stored image of a record.
use sqlx::{Row, postgres::PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

/// Image of a record at one version: its encoded message without secrets, and its sealed secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// Id of the record.
    pub record_id: Uuid,
    /// School.
    pub school_code: String,
    /// Full key in the school.
    pub record_key: String,
    /// Version.
    pub version: i64,
    /// Keyed digest of the content, secrets included.
    pub digest: Vec<u8>,
    /// Encoded message without secrets.
    pub body: Vec<u8>,
    /// Sealed secret, if it has one.
    pub secret: Option<Vec<u8>>,
    /// When it got this version.
    pub changed_at: OffsetDateTime,
    /// Taken away at this version.
    pub withdrawn: bool,
}

/// Columns that [`StoredImage::from_row`] reads, in its order.
pub(crate) const COLUMNS: &str =
    "record_id, school_code, record_key, version, digest, body, secret, changed_at, withdrawn";

impl StoredImage {
    pub(crate) fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            record_id: row.try_get(0)?,
            school_code: row.try_get(1)?,
            record_key: row.try_get(2)?,
            version: row.try_get(3)?,
            digest: row.try_get(4)?,
            body: row.try_get(5)?,
            secret: row.try_get(6)?,
            changed_at: row.try_get(7)?,
            withdrawn: row.try_get(8)?,
        })
    }
}
