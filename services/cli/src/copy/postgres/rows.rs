//! Rows of a batch, written in one statement.
use super::images::{Image, Images};
use crate::copy::{Applied, CopyError};
use sqlx::{PgConnection, Row};
use std::collections::HashMap;

/// The newest change of each record in a batch.
pub(super) struct Rows {
    images: Vec<Image>,
    /// Changes of the batch that a later one of it supersedes.
    superseded: u64,
}

/// What a batch did.
pub(super) struct Written {
    pub applied: Applied,
    /// Live records more than before.
    pub live_more: i64,
}

impl Rows {
    /// A statement may touch a row once, so of several changes of one key the last counts, as the feed orders them.
    pub fn of(images: &Images, changes: &[Vec<u8>]) -> Result<Self, CopyError> {
        let mut rows: Vec<Image> = Vec::with_capacity(changes.len());
        let mut places: HashMap<(String, i32, String), usize> = HashMap::with_capacity(changes.len());
        let mut superseded = 0;
        for change in changes {
            let image = images.read(change)?;
            let h = &image.header;
            let key = (h.school_code.clone(), h.kind, h.record_key.clone());
            match places.get(&key).and_then(|at| rows.get_mut(*at)) {
                Some(old) => {
                    superseded += 1;
                    if old.record_id != image.record_id || old.header.version < image.header.version {
                        *old = image;
                    }
                }
                None => {
                    places.insert(key, rows.len());
                    rows.push(image);
                }
            }
        }
        Ok(Self { images: rows, superseded })
    }

    /// Writes what is newer than the rows that are there.
    pub async fn write(
        &self,
        tx: &mut PgConnection,
        service: &str,
        generation: i32,
    ) -> Result<Written, CopyError> {
        let rows = &self.images;
        let kind = |i: &Image| i16::try_from(i.header.kind).unwrap_or_default();
        let row = sqlx::query(WRITE)
            .bind(service)
            .bind(generation)
            .bind(rows.iter().map(|i| i.header.school_code.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(kind).collect::<Vec<_>>())
            .bind(rows.iter().map(|i| i.header.record_key.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|i| i.record_id).collect::<Vec<_>>())
            .bind(rows.iter().map(|i| i.header.version).collect::<Vec<_>>())
            .bind(rows.iter().map(|i| i.header.digest.as_slice()).collect::<Vec<_>>())
            .bind(rows.iter().map(|i| i.withdrawn).collect::<Vec<_>>())
            .bind(rows.iter().map(|i| i.changed_at).collect::<Vec<_>>())
            .bind(rows.iter().map(|i| i.data.as_deref()).collect::<Vec<_>>())
            .bind(rows.iter().map(|i| i.bytes.as_deref()).collect::<Vec<_>>())
            .fetch_one(tx)
            .await?;
        let [upserted, withdrawn, lived] =
            [row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?, row.try_get::<i64, _>(2)?];
        let written = upserted.unsigned_abs() + withdrawn.unsigned_abs();
        let known = (rows.len() as u64).saturating_sub(written) + self.superseded;
        let applied =
            Applied { upserted: upserted.unsigned_abs(), withdrawn: withdrawn.unsigned_abs(), known };
        Ok(Written { applied, live_more: upserted - lived })
    }
}

/// A row gives way to a higher version, to another record under its key (which came later by the feed's order), and to
/// anything of a new beginning.
const WRITE: &str = "
with i as (
  select * from unnest($3::text[], $4::int2[], $5::text[], $6::uuid[], $7::int8[], $8::bytea[], $9::bool[],
    $10::timestamptz[], $11::text[], $12::bytea[])
    as t(school_code, kind, record_key, record_id, version, digest, withdrawn, changed_at, data, image)
), old as (
  select r.school_code, r.kind, r.record_key, r.withdrawn from i join record r
    on r.service = $1 and r.school_code = i.school_code and r.kind = i.kind and r.record_key = i.record_key
), done as (
  insert into record as r (service, generation, school_code, kind, record_key, record_id, version, digest, withdrawn,
    changed_at, data, image)
  select $1, $2, school_code, kind, record_key, record_id, version, digest, withdrawn, changed_at, data::jsonb, image from i
  on conflict (service, school_code, kind, record_key) do update set generation = excluded.generation,
    record_id = excluded.record_id, version = excluded.version, digest = excluded.digest,
    withdrawn = excluded.withdrawn, changed_at = excluded.changed_at, data = excluded.data, image = excluded.image
  where r.record_id <> excluded.record_id or r.version < excluded.version or r.generation < excluded.generation
  returning school_code, kind, record_key, withdrawn
)
select count(*) filter (where not d.withdrawn), count(*) filter (where d.withdrawn),
  count(*) filter (where not o.withdrawn)
from done d left join old o using (school_code, kind, record_key)";
