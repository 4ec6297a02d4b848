//! Digest and counts of a state: what a seal fixes, and what two copies compare.
use crate::{
    as_of::{Side, list_as_of},
    image::StoredImage,
    position::Position,
    table::Table,
};
use eduhub_pg::DbError;
use eduhub_proto::common::v1::KindCount;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

const PAGE: i64 = 2_000;

/// Digest over the lines `kind<TAB>key<TAB>version<TAB>digest-in-hex<LF>`; feed it in the order of kind, then key.
#[derive(Default)]
pub struct Digester(Sha256);

impl Digester {
    /// Adds one record.
    pub fn add(&mut self, kind: i32, record_key: &str, version: i64, digest: &[u8]) {
        self.0.update(format!("{kind}\t{record_key}\t{version}\t{}\n", hex::encode(digest)));
    }

    /// The digest, 32 bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

/// Counts and digest of a state.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedState {
    /// Records per kind, in the order of the kinds.
    pub counts: Vec<KindCount>,
    /// SHA-256, see [`Digester`].
    pub digest: Vec<u8>,
}

/// Which records a digest is over.
enum Records<'a> {
    /// Those of a state.
    AsOf(&'a Side<'a>),
    /// Everything live in a school, all school years.
    Live(&'a str),
}

impl Records<'_> {
    async fn page(
        &self,
        conn: &mut PgConnection,
        table: &Table,
        after: &str,
    ) -> Result<Vec<StoredImage>, DbError> {
        match self {
            Self::AsOf(side) => list_as_of(conn, table, side, after, PAGE).await,
            Self::Live(school_code) => crate::read::list(conn, table, school_code, after, PAGE).await,
        }
    }

    /// Counts and digest, read page by page; memory stays at one page.
    async fn digested(&self, conn: &mut PgConnection, tables: &[&Table]) -> Result<SealedState, DbError> {
        let mut digester = Digester::default();
        let mut counts = Vec::with_capacity(tables.len());
        let mut sorted = tables.to_vec();
        sorted.sort_by_key(|t| t.meta.kind);
        for table in sorted {
            let (mut count, mut after) = (0, String::new());
            loop {
                let rows = self.page(conn, table, &after).await?;
                for row in &rows {
                    digester.add(table.meta.kind, &row.record_key, row.version, &row.digest);
                }
                count += rows.len() as u64;
                match rows.last() {
                    Some(last) if rows.len() as i64 == PAGE => after.clone_from(&last.record_key),
                    _ => break,
                }
            }
            counts.push(KindCount { kind: table.meta.kind, count });
        }
        Ok(SealedState { counts, digest: digester.finish() })
    }
}

/// Counts and digest of a state.
pub async fn seal_state(
    conn: &mut PgConnection,
    tables: &[&Table],
    side: &Side<'_>,
) -> Result<SealedState, DbError> {
    Records::AsOf(side).digested(conn, tables).await
}

/// Counts and digest of everything live in a school, all school years.
pub async fn school_digest(
    conn: &mut PgConnection,
    tables: &[&Table],
    school_code: &str,
) -> Result<SealedState, DbError> {
    Records::Live(school_code).digested(conn, tables).await
}

/// School and position of a seal; `None` when there is none.
pub async fn sealed_at(
    conn: &mut PgConnection,
    seal_id: Uuid,
) -> Result<Option<(String, Position)>, DbError> {
    let row = sqlx::query("select school_code, xid, seq from seal where seal_id = $1")
        .bind(seal_id)
        .fetch_optional(conn)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((row.try_get(0)?, Position { xid: row.try_get(1)?, seq: row.try_get(2)? })))
}

impl Position {
    /// True for the state before every change.
    pub fn is_start(self) -> bool {
        self == Position::START
    }
}
