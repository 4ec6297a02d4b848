//! Marks of what a transaction wrote that another school may be writing at the same moment: a personal ID, a pupil's name and
//! birth date. Two transactions that run at once do not see each other's rows, so neither finds what they share. Each leaves
//! its marks with its rows; the end of the later session compares its own with those of all transactions that may have run
//! beside it, and looks again for the few records whose marks others have too (decision 0022).
use crate::stored::StoredRules;
use eduhub_changelog::{RowChange, Table, WriteContext};
use eduhub_pg::DbError;
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, HashMap};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long marks are kept.
pub(crate) const KEPT: Duration = Duration::days(2);
/// A session that was opened before this is not helped by marks: some may be gone.
pub(crate) const USEFUL: Duration = Duration::hours(47);
/// Bytes of a mark and its record's id.
const ENTRY: usize = 24;

/// Stands for a value that records of different schools may share: equal for equal values, and for others hardly ever, in which case a
/// look is for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(u64);

impl Mark {
    /// Of a value, given in parts. With `told_apart`, two that both have it do not concern each other.
    pub fn new(value: &[&[u8]], told_apart: bool) -> Self {
        let mut hasher = Sha256::new();
        for part in value {
            hasher.update(u32::try_from(part.len()).unwrap_or_default().to_be_bytes());
            hasher.update(part);
        }
        let hash = hasher.finalize();
        let start = hash.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Self(start & !1 | u64::from(told_apart))
    }

    fn value(self) -> u64 {
        self.0 & !1
    }

    fn concerns(self, other: Self) -> bool {
        self.value() == other.value() && (self.0 & other.0 & 1) == 0
    }
}

/// Leaves the marks of rows that this transaction writes.
pub(crate) async fn leave(
    conn: &mut PgConnection,
    table: &Table,
    who: &WriteContext,
    rules: &dyn StoredRules,
    rows: &[RowChange],
) -> Result<(), DbError> {
    let mut bytes = Vec::new();
    for row in rows {
        let mut add = |mark: Mark| {
            bytes.extend_from_slice(&mark.0.to_be_bytes());
            bytes.extend_from_slice(row.record_id.as_bytes());
        };
        table
            .blind_index_of(row)
            .into_iter()
            .for_each(|index| add(Mark::new(&[b"personal_id", index], false)));
        rules.marks(table, row, &mut add);
    }
    if bytes.is_empty() {
        return Ok(());
    }
    sqlx::query("insert into push_mark (school_code, kind, marks) values ($1, $2, $3)")
        .bind(&who.school_code)
        .bind(i16::try_from(table.meta.kind).unwrap_or_default())
        .bind(bytes)
        .execute(conn)
        .await?;
    Ok(())
}

/// Records of a school, by kind, written since transaction `opened`, that share a mark with what another school wrote since `running`,
/// the oldest transaction that ran then.
pub(crate) async fn shared(
    conn: &mut PgConnection,
    school_code: &str,
    opened: i64,
    running: i64,
) -> Result<BTreeMap<i32, Vec<Uuid>>, DbError> {
    let mut own: HashMap<(i16, u64), Vec<(Mark, Uuid)>> = HashMap::new();
    let mut rows = sqlx::query("select kind, marks from push_mark where xid >= $2 and school_code = $1")
        .bind(school_code)
        .bind(opened)
        .fetch(&mut *conn);
    while let Some(row) = rows.try_next().await? {
        let kind: i16 = row.try_get(0)?;
        for (mark, id) in read(row.try_get(1)?) {
            own.entry((kind, mark.value())).or_default().push((mark, id));
        }
    }
    drop(rows);
    let mut shared: BTreeMap<i32, Vec<Uuid>> = BTreeMap::new();
    if own.is_empty() {
        return Ok(shared);
    }
    let mut rows = sqlx::query("select kind, marks from push_mark where xid >= $2 and school_code <> $1")
        .bind(school_code)
        .bind(running)
        .fetch(conn);
    while let Some(row) = rows.try_next().await? {
        let kind: i16 = row.try_get(0)?;
        for (mark, _) in read(row.try_get(1)?) {
            let ours = own.get(&(kind, mark.value())).into_iter().flatten();
            let concerned = ours.filter(|(our, _)| our.concerns(mark)).map(|(_, id)| *id);
            shared.entry(i32::from(kind)).or_default().extend(concerned);
        }
    }
    for ids in shared.values_mut() {
        ids.sort_unstable();
        ids.dedup();
    }
    shared.retain(|_, ids| !ids.is_empty());
    Ok(shared)
}

fn read(bytes: &[u8]) -> impl Iterator<Item = (Mark, Uuid)> {
    let (entries, _) = bytes.as_chunks::<ENTRY>();
    entries.iter().filter_map(|entry| {
        let (mark, id) = (entry.first_chunk()?, entry.last_chunk()?);
        Some((Mark(u64::from_be_bytes(*mark)), Uuid::from_bytes(*id)))
    })
}

/// Deletes marks that were made before a moment, so many at most.
pub(crate) async fn prune(
    conn: &mut PgConnection,
    before: OffsetDateTime,
    limit: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "delete from push_mark where ctid = any(array(
           select ctid from push_mark where made_at < $1 order by made_at limit $2))",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(value: &str, told_apart: bool) -> Mark {
        Mark::new(&[value.as_bytes()], told_apart)
    }

    #[test]
    fn equal_values_concern_each_other_unless_both_are_told_apart() {
        for (one, other, expected) in
            [(false, false, true), (true, false, true), (false, true, true), (true, true, false)]
        {
            assert_eq!(mark("an", one).concerns(mark("an", other)), expected, "{one} {other}");
            assert!(!mark("an", one).concerns(mark("binh", other)));
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(Mark::new(&[b"ab", b"c"], false), Mark::new(&[b"a", b"bc"], false));
    }

    #[test]
    fn entries_are_read_as_they_were_written() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        let bytes = [&mark("an", true).0.to_be_bytes()[..], id.as_bytes()].concat();
        assert_eq!(read(&bytes).collect::<Vec<_>>(), [(mark("an", true), id)]);
    }
}
