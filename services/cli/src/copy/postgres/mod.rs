//! The copy in tables of a Postgres database.
//!
//! `record` holds one row for each record: what the feed said of it, its fields as JSON (`data`, names as in the proto), and the
//! exact bytes (`image`). A withdrawn record stays as a row without fields, whose version still tells old changes from new
//! ones. For each kind there is a view, such as `pupil`, with one column for each field and the live records only. `place` holds
//! the cursor, written in the transaction of the changes that it covers.
//!
//! When the feed no longer knows the cursor, the rows of before stay readable until the new snapshot is complete; what it did not
//! bring again goes then, in one transaction.

mod digest;
mod images;
mod rows;
mod schema;
mod views;

use super::{Applied, CopyError, Place, Scope};
use eduhub_proto::common::v1::{SchoolDigest, ScopeChange};
use images::Images;
use prost::Message;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

/// A copy. One process at a time keeps it for a service.
pub struct PostgresCopy {
    conn: PgConnection,
    scope: Scope,
    images: Images,
    cursor: Vec<u8>,
    live: bool,
    /// Rises with every new beginning; rows of an older one go when the snapshot is complete.
    generation: i32,
    records: u64,
}

impl PostgresCopy {
    /// Opens the copy of this scope in a schema, or begins one: makes or upgrades its tables. `url` is `postgres://...` with
    /// a user who may create a schema.
    ///
    /// # Errors
    /// [`CopyError`].
    pub async fn open(url: &str, schema: &str, scope: &Scope) -> Result<Self, CopyError> {
        if !schema::is_name(schema) {
            return Err(CopyError::BadSchema);
        }
        let mut conn = PgConnection::connect(url).await?;
        // Until the connection ends, however it ends.
        let lock = format!("eduhub copy {schema} {}", scope.service);
        let alone: bool = sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended($1, 0))")
            .bind(lock)
            .fetch_one(&mut conn)
            .await?;
        if !alone {
            return Err(CopyError::Followed(scope.service.clone()));
        }
        schema::upgrade(&mut conn, schema).await?;
        let set = AssertSqlSafe(format!("set search_path = {schema}"));
        sqlx::query(set).execute(&mut conn).await?;
        let images = Images::new(&scope.service)?;
        views::renew(&mut conn, &scope.service).await?;
        let mut copy = Self {
            conn,
            scope: scope.clone(),
            images,
            cursor: vec![],
            live: false,
            generation: 0,
            records: 0,
        };
        copy.begin().await?;
        copy.count().await?;
        Ok(copy)
    }

    /// True once the snapshot is complete.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Reads the place, or makes it.
    async fn begin(&mut self) -> Result<(), CopyError> {
        sqlx::query("insert into place (service, scope) values ($1, $2) on conflict do nothing")
            .bind(&self.scope.service)
            .bind(self.scope.encode_to_vec())
            .execute(&mut self.conn)
            .await?;
        let row = sqlx::query("select scope, cursor, live, generation from place where service = $1")
            .bind(&self.scope.service)
            .fetch_one(&mut self.conn)
            .await?;
        let held = Scope::decode(row.try_get::<&[u8], _>(0)?).unwrap_or_default();
        if held != self.scope {
            let (held, wanted) = (held.describe(), self.scope.describe());
            return Err(CopyError::OtherTables { held, wanted });
        }
        (self.cursor, self.live, self.generation) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        Ok(())
    }

    async fn count(&mut self) -> Result<(), CopyError> {
        let sql = "select count(*) from record where service = $1 and not withdrawn";
        let count: i64 = sqlx::query_scalar(sql).bind(&self.scope.service).fetch_one(&mut self.conn).await?;
        self.records = count.unsigned_abs();
        Ok(())
    }

    /// Moves the place in a transaction that `work` has begun with.
    async fn moved(
        tx: &mut PgConnection,
        service: &str,
        (cursor, live, generation): (&[u8], bool, i32),
    ) -> Result<(), CopyError> {
        let sql =
            "update place set cursor = $2, live = $3, generation = $4, moved_at = now() where service = $1";
        sqlx::query(sql).bind(service).bind(cursor).bind(live).bind(generation).execute(tx).await?;
        Ok(())
    }
}

impl Place for PostgresCopy {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn cursor(&self) -> Option<&[u8]> {
        (!self.cursor.is_empty()).then_some(self.cursor.as_slice())
    }

    fn records(&self) -> u64 {
        self.records
    }

    async fn apply(&mut self, changes: Vec<Vec<u8>>, cursor: Vec<u8>) -> Result<Applied, CopyError> {
        let service = self.scope.service.clone();
        let rows = rows::Rows::of(&self.images, &changes)?;
        let mut tx = self.conn.begin().await?;
        let written = rows.write(&mut tx, &service, self.generation).await?;
        Self::moved(&mut tx, &service, (&cursor, self.live, self.generation)).await?;
        tx.commit().await?;
        self.cursor = cursor;
        self.records = self.records.saturating_add_signed(written.live_more);
        Ok(written.applied)
    }

    async fn checkpoint(&mut self, cursor: Vec<u8>, live: bool) -> Result<(), CopyError> {
        // A checkpoint of a stream that is behind does not undo that the snapshot was complete once.
        let live = live || self.live;
        if cursor == self.cursor && live == self.live {
            return Ok(());
        }
        let completed = live && !self.live;
        let service = self.scope.service.clone();
        let mut tx = self.conn.begin().await?;
        if completed {
            let stale = "delete from record where service = $1 and generation < $2";
            sqlx::query(stale).bind(&service).bind(self.generation).execute(&mut *tx).await?;
        }
        Self::moved(&mut tx, &service, (&cursor, live, self.generation)).await?;
        tx.commit().await?;
        (self.cursor, self.live) = (cursor, live);
        if completed { self.count().await } else { Ok(()) }
    }

    async fn rescope(&mut self, change: &ScopeChange) -> Result<(), CopyError> {
        let service = self.scope.service.clone();
        let generation = if change.reset { self.generation + 1 } else { self.generation };
        let live = self.live && !change.reset;
        let mut tx = self.conn.begin().await?;
        let left = "delete from record where service = $1 and (school_code = any($2) or kind = any($3))";
        let kinds: Vec<i16> = change.removed_kinds.iter().filter_map(|k| i16::try_from(*k).ok()).collect();
        sqlx::query(left).bind(&service).bind(&change.removed_schools).bind(kinds).execute(&mut *tx).await?;
        Self::moved(&mut tx, &service, (&change.cursor, live, generation)).await?;
        tx.commit().await?;
        (self.cursor, self.live, self.generation) = (change.cursor.clone(), live, generation);
        self.count().await
    }

    async fn reset(&mut self) -> Result<(), CopyError> {
        self.rescope(&ScopeChange { reset: true, ..ScopeChange::default() }).await
    }

    async fn schools(&mut self) -> Result<Vec<String>, CopyError> {
        let sql = "select distinct school_code from record where service = $1 order by 1";
        Ok(sqlx::query_scalar(sql).bind(&self.scope.service).fetch_all(&mut self.conn).await?)
    }

    async fn digest_of(&mut self, school_code: &str) -> Result<SchoolDigest, CopyError> {
        digest::of(&mut self.conn, &self.scope.service, school_code).await
    }
}
