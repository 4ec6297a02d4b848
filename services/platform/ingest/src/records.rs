//! Writes prepared records: decides new, changed, unchanged, held or refused, kind by kind, parents first. Everything is read
//! and decided before the first row is written: from then on the transaction holds back the feeds.
use crate::{
    duplicates, held,
    incoming::Incoming,
    marks,
    outcome::{Keys, Outcome},
    session::db,
    stored::StoredRules,
};
use eduhub_changelog::{Existing, RecordSet, RowChange, Table, WriteContext, existing_keys, prefetch};
use eduhub_faults::{Fault, Problem, Reason, error};
use eduhub_rules::ParentRef;
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What is to be written of one kind.
pub(crate) struct Decided {
    table: &'static Table,
    rows: Vec<RowChange>,
    orphans: Vec<(Incoming, ParentRef)>,
}

/// Decides what becomes of records of any kinds. Parents in `known` count as here without a look; accepted records join it.
pub(crate) async fn decide<S: RecordSet>(
    conn: &mut PgConnection,
    who: &WriteContext,
    incoming: Vec<Incoming>,
    held_room: i64,
    known: &mut Keys,
    out: &mut Outcome,
) -> Result<Vec<Decided>, Fault> {
    let mut by_kind: HashMap<i32, Vec<Incoming>> = HashMap::new();
    for record in incoming {
        by_kind.entry(record.kind).or_default().push(record);
    }
    let (mut room, mut decided) = (held_room, Vec::new());
    for table in S::tables() {
        let Some(records) = by_kind.remove(&table.meta.kind) else { continue };
        let counted = out.counts;
        let sound = refuse(records, out);
        let (sound, orphans) = part_orphans::<S>(conn, who, sound, known, &mut room, out).await?;
        let before = out.accepted.len();
        let rows = compare(conn, table, who, sound, out).await?;
        known.extend(out.accepted[before..].iter().cloned());
        out.tally.add(table.meta.kind, &counted, &out.counts);
        decided.push(Decided { table, rows, orphans });
    }
    Ok(decided)
}

/// Rows that are to be written.
pub(crate) fn rows(decided: &[Decided]) -> usize {
    decided.iter().map(|d| d.rows.len() + d.orphans.len()).sum()
}

/// Writes what was decided, parents first.
pub(crate) async fn put(
    conn: &mut PgConnection,
    who: &WriteContext,
    rules: &dyn StoredRules,
    decided: Vec<Decided>,
) -> Result<(), Fault> {
    for Decided { table, rows, orphans } in decided {
        held::hold(conn, who, &orphans).await.map_err(db)?;
        eduhub_changelog::write(conn, table, who, &rows).await.map_err(db)?;
        marks::leave(conn, table, who, rules, &rows).await.map_err(db)?;
    }
    Ok(())
}

/// Takes out refused records and second images of one key.
fn refuse(records: Vec<Incoming>, out: &mut Outcome) -> Vec<Incoming> {
    let mut seen: HashMap<String, [u8; 16]> = HashMap::new();
    let mut sound = Vec::with_capacity(records.len());
    for mut record in records {
        if let Some(digest) = seen.get(&record.record_key) {
            if *digest == record.digest {
                out.counts.unchanged += 1;
                continue;
            }
            let mut problem = error(Reason::DuplicateInBatch, "");
            (problem.kind, problem.index) = (record.kind, record.index);
            problem.record_key.clone_from(&record.record_key);
            record.findings.push(problem);
        } else {
            seen.insert(record.record_key.clone(), record.digest);
        }
        let refused = record.refused();
        out.counts.warnings +=
            record.findings.iter().filter(|f| f.severity == eduhub_faults::Severity::Warning as i32).count()
                as u64;
        out.problems.extend(record.findings.drain(..).map(|f| (record.record_key.clone(), f)));
        if refused {
            out.counts.rejected += 1;
            out.refused.push((record.kind, record.record_key));
        } else {
            sound.push(record);
        }
    }
    sound
}

/// Parts records whose parents are not here from the others.
async fn part_orphans<S: RecordSet>(
    conn: &mut PgConnection,
    who: &WriteContext,
    records: Vec<Incoming>,
    present: &Keys,
    room: &mut i64,
    out: &mut Outcome,
) -> Result<(Vec<Incoming>, Vec<(Incoming, ParentRef)>), Fault> {
    let missing = missing_parents::<S>(conn, &who.school_code, &records, present).await?;
    if missing.is_empty() {
        return Ok((records, vec![]));
    }
    let (mut sound, mut orphans) = (Vec::with_capacity(records.len()), Vec::new());
    for record in records {
        match record.parents.iter().find(|p| missing.contains(&(p.kind as i32, p.key.clone()))).cloned() {
            None => sound.push(record),
            Some(parent) => orphans.push((record, parent)),
        }
    }
    let fits = orphans.len().min(usize::try_from(*room).unwrap_or_default());
    for (record, parent) in orphans.split_off(fits) {
        out.counts.rejected += 1;
        out.problems.push((record.record_key.clone(), no_room(&record, &parent)));
        out.refused.push((record.kind, record.record_key));
    }
    *room -= orphans.len() as i64;
    out.counts.held += orphans.len() as u64;
    out.held.extend(orphans.iter().map(|(r, _)| (r.kind, r.record_key.clone())));
    out.waited_for.extend(orphans.iter().map(|(_, p)| (p.kind as i32, p.key.clone())));
    Ok((sound, orphans))
}

fn no_room(record: &Incoming, parent: &ParentRef) -> Problem {
    let mut problem = error(Reason::HeldExpired, parent.field);
    (problem.kind, problem.index) = (record.kind, record.index);
    problem.record_key.clone_from(&record.record_key);
    problem.parent_kind = parent.kind as i32;
    problem.parent_key.clone_from(&parent.key);
    problem
}

async fn missing_parents<S: RecordSet>(
    conn: &mut PgConnection,
    school_code: &str,
    records: &[Incoming],
    present: &Keys,
) -> Result<HashSet<(i32, String)>, Fault> {
    let mut wanted: HashSet<(i32, String)> = records
        .iter()
        .flat_map(|r| &r.parents)
        .map(|p| (p.kind as i32, p.key.clone()))
        .filter(|p| !present.contains(p))
        .collect();
    for table in S::tables() {
        let keys: Vec<&str> =
            wanted.iter().filter(|(k, _)| *k == table.meta.kind).map(|(_, key)| key.as_str()).collect();
        if keys.is_empty() {
            continue;
        }
        let found = existing_keys(conn, table, school_code, &keys).await.map_err(db)?;
        wanted.retain(|(k, key)| *k != table.meta.kind || !found.contains(key));
    }
    Ok(wanted)
}

/// Compares records with what is stored; gives the rows that differ.
async fn compare(
    conn: &mut PgConnection,
    table: &Table,
    who: &WriteContext,
    records: Vec<Incoming>,
    out: &mut Outcome,
) -> Result<Vec<RowChange>, Fault> {
    if records.is_empty() {
        return Ok(vec![]);
    }
    let keys: Vec<&str> = records.iter().map(|r| r.record_key.as_str()).collect();
    let existing = prefetch(conn, table, &who.school_code, &keys).await.map_err(db)?;
    let fresh = records.iter().filter(|r| !existing.contains_key(&r.record_key));
    let fresh: Vec<&[u8]> = fresh.filter_map(|r| r.blind_index.as_deref()).collect();
    let shared = duplicates::shared(conn, table, &fresh).await.map_err(db)?;
    if !shared.is_empty() {
        out.indexes.entry(table.meta.kind).or_default().extend(shared);
    }
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let old = existing.get(&record.record_key);
        out.accepted.push((record.kind, record.record_key.clone()));
        match old {
            Some(old) if !old.withdrawn && old.digest == record.digest => {
                out.counts.unchanged += 1;
                continue;
            }
            Some(old) if !old.withdrawn => out.counts.updated += 1,
            _ => {
                out.counts.created += 1;
                out.arrived.push((record.kind, record.record_key.clone()));
            }
        }
        if record.blind_index.is_none() && old.is_some_and(|o| o.blind_index.is_some()) {
            out.bared.push((record.kind, record.record_key.clone()));
        }
        let kinds = if old.is_some() { &mut out.changed_kinds } else { &mut out.new_kinds };
        kinds.insert(record.kind);
        if let Some(old) = old {
            let indexes = out.indexes.entry(record.kind).or_default();
            indexes.extend(old.blind_index.clone());
            indexes.extend(record.blind_index.clone());
        }
        rows.push(row_change(record, old));
    }
    Ok(rows)
}

fn row_change(record: Incoming, old: Option<&Existing>) -> RowChange {
    RowChange {
        record_id: old.map_or_else(Uuid::now_v7, |o| o.record_id),
        record_key: record.record_key,
        school_year: record.school_year,
        version: old.map_or(1, |o| o.version + 1),
        digest: record.digest.to_vec(),
        body: record.body,
        secret: record.secret,
        withdrawn: false,
        columns: record.columns,
    }
}

/// Withdraws records by full key; keys that are not there count as unchanged.
pub(crate) async fn withdraw(
    conn: &mut PgConnection,
    table: &Table,
    who: &WriteContext,
    keys: &[&str],
    out: &mut Outcome,
) -> Result<(), Fault> {
    let existing = prefetch(conn, table, &who.school_code, keys).await.map_err(db)?;
    let mut rows = Vec::new();
    let counted = out.counts;
    for key in keys {
        out.withdrawn.push((table.meta.kind, (*key).to_owned()));
        match existing.get(*key) {
            Some(old) if !old.withdrawn => {
                out.counts.withdrawn += 1;
                out.changed_kinds.insert(table.meta.kind);
                out.indexes.entry(table.meta.kind).or_default().extend(old.blind_index.clone());
                rows.push(RowChange {
                    record_id: old.record_id,
                    record_key: (*key).to_owned(),
                    school_year: 0,
                    version: old.version + 1,
                    digest: vec![],
                    body: vec![],
                    secret: None,
                    withdrawn: true,
                    columns: vec![],
                });
            }
            _ => out.counts.unchanged += 1,
        }
    }
    out.tally.add(table.meta.kind, &counted, &out.counts);
    eduhub_changelog::write(conn, table, who, &rows).await.map_err(db)
}
