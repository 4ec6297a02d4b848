//! What two copies are compared by (`eduhub/common/v1/seal.proto`).
use crate::copy::CopyError;
use eduhub_proto::common::v1::{KindCount, SchoolDigest};
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

/// Counts and digest of a school's live records; memory stays at one row.
pub(super) async fn of(
    conn: &mut PgConnection,
    service: &str,
    school_code: &str,
) -> Result<SchoolDigest, CopyError> {
    let sql = "select kind, record_key, version, digest from record
         where service = $1 and school_code = $2 and not withdrawn order by kind, record_key";
    let mut rows = sqlx::query(sql).bind(service).bind(school_code).fetch(conn);
    let (mut sum, mut counts) = (Sha256::new(), BTreeMap::<i32, u64>::new());
    while let Some(row) = rows.try_next().await? {
        let (kind, key): (i16, &str) = (row.try_get(0)?, row.try_get(1)?);
        let (version, digest): (i64, &[u8]) = (row.try_get(2)?, row.try_get(3)?);
        sum.update(format!("{kind}\t{key}\t{version}\t{}\n", hex::encode(digest)));
        *counts.entry(i32::from(kind)).or_default() += 1;
    }
    let counts = counts.into_iter().map(|(kind, count)| KindCount { kind, count }).collect();
    Ok(SchoolDigest { school_code: school_code.to_owned(), counts, digest: sum.finalize().to_vec() })
}
