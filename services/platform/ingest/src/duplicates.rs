//! The same personal ID on two persons, found by blind index over the whole province. Two records under one key at two schools
//! are one person, who moved or works at both: keys of persons are theirs for life (TT 42/2021 Art 10).
use crate::{
    issues::{close_issues, open_issues},
    outcome::Outcome,
    session::db,
};
use eduhub_changelog::{RecordSet, Table, WriteContext};
use eduhub_faults::{Fault, Problem, Reason, warning};
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Looks for duplicates of the personal IDs that came or went with a batch.
pub(crate) async fn find<S: RecordSet>(
    conn: &mut PgConnection,
    who: &WriteContext,
    out: &mut Outcome,
) -> Result<(), Fault> {
    let mut bared: HashMap<i32, Vec<String>> = HashMap::new();
    for (kind, key) in std::mem::take(&mut out.bared) {
        bared.entry(kind).or_default().push(key);
    }
    for (kind, keys) in bared {
        let reason = Reason::PersonalIdDuplicate;
        close_issues(conn, &who.school_code, kind, reason, &keys).await.map_err(db)?;
    }
    for (kind, indexes) in std::mem::take(&mut out.indexes) {
        let Some(table) = S::table(kind) else { continue };
        for (school, mut problem) in sweep(conn, table, &indexes).await.map_err(db)? {
            if school == who.school_code {
                out.counts.warnings += 1;
                problem.index = out.persons.get(&(kind, problem.record_key.clone())).copied();
                out.problems.push((problem.record_key.clone(), problem));
            }
        }
    }
    Ok(())
}

/// Looks at all persons who have one of these indexes: the first one recorded keeps the number, every later one gets an
/// issue, and issues of persons who no longer share theirs are closed. Returns the findings by (school, full key).
pub(crate) async fn sweep(
    conn: &mut PgConnection,
    table: &Table,
    indexes: &[Vec<u8>],
) -> Result<Vec<(String, Problem)>, DbError> {
    let Some(column) = table.blind_index() else { return Ok(vec![]) };
    let indexes = &in_question(conn, table, &column.name, indexes).await?;
    if indexes.is_empty() {
        return Ok(vec![]);
    }
    // Record ids are time-ordered (UUID v7), so their order is the order of recording. Issues are opened and closed in one
    // order everywhere: two schools that share many numbers and push at once would wait for each other otherwise.
    let sql = format!(
        "select school_code, record_key, person <> first as later from (
           select school_code, record_key, person, first_value(person) over (partition by id order by record_id) as first,
             min(person) over (partition by id) <> max(person) over (partition by id) as shared
           from (select {0} as id, record_id, school_code, record_key, {2} as person from {1}
             where {0} = any($1) and not withdrawn) h
         ) p where shared or exists (select 1 from data_issue d where d.school_code = p.school_code and d.kind = $2
           and d.record_key = p.record_key and d.reason = $3 and d.closed_at is null)
         order by school_code, record_key",
        column.name,
        table.name,
        person(table)
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(indexes)
        .bind(i16::try_from(table.meta.kind).unwrap_or_default())
        .bind(Reason::PersonalIdDuplicate as i16)
        .fetch_all(&mut *conn)
        .await?;
    let mut found = Vec::new();
    let mut by_school: BTreeMap<String, Shared> = BTreeMap::new();
    for r in rows {
        let (school, key): (String, String) = (r.try_get(0)?, r.try_get(1)?);
        let shared = by_school.entry(school.clone()).or_default();
        if r.try_get::<bool, _>(2)? {
            let mut problem = warning(Reason::PersonalIdDuplicate, "personal_id");
            problem.kind = table.meta.kind;
            problem.record_key = key.clone();
            shared.later.push((key, problem.clone()));
            found.push((school, problem));
        } else {
            shared.first.push(key);
        }
    }
    for (school, shared) in by_school {
        open_issues(conn, &school, &shared.later).await?;
        close_issues(conn, &school, table.meta.kind, Reason::PersonalIdDuplicate, &shared.first).await?;
    }
    Ok(found)
}

/// What names a person in a table: the key without the school year that stands before a yearly record's.
fn person(table: &Table) -> &'static str {
    if table.meta.yearly { "substr(record_key, 6)" } else { "record_key" }
}

/// The few indexes that more than one person has, or whose holder has an open issue: nearly all are one person's own.
async fn in_question(
    conn: &mut PgConnection,
    table: &Table,
    column: &str,
    indexes: &[Vec<u8>],
) -> Result<Vec<Vec<u8>>, DbError> {
    if indexes.is_empty() {
        return Ok(vec![]);
    }
    let sql = format!(
        "select i.index from unnest($1::bytea[]) as i(index) cross join lateral (
           select min({person}) <> max({person}) as shared, bool_or(exists (select 1 from data_issue d where d.school_code = p.school_code
             and d.kind = $2 and d.record_key = p.record_key and d.reason = $3 and d.closed_at is null)) as open
           from {} p where p.{column} = i.index and not p.withdrawn
         ) h where h.shared or h.open",
        table.name,
        person = person(table)
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(indexes)
        .bind(i16::try_from(table.meta.kind).unwrap_or_default())
        .bind(Reason::PersonalIdDuplicate as i16)
        .fetch_all(conn)
        .await?)
}

/// Indexes of new persons that somebody has already, in the table or among themselves. Asked before the write: then nearly
/// every look-up ends in the index, and only these few need a look at all their holders afterwards.
pub(crate) async fn shared(
    conn: &mut PgConnection,
    table: &Table,
    indexes: &[&[u8]],
) -> Result<Vec<Vec<u8>>, DbError> {
    let Some(column) = table.blind_index().filter(|_| !indexes.is_empty()) else { return Ok(vec![]) };
    let sql = format!("select {0} from {1} where {0} = any($1) and not withdrawn", column.name, table.name);
    let mut shared: Vec<Vec<u8>> =
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(indexes).fetch_all(&mut *conn).await?;
    let mut seen = HashSet::with_capacity(indexes.len());
    shared.extend(indexes.iter().filter(|index| !seen.insert(**index)).map(|index| index.to_vec()));
    Ok(shared)
}

/// Persons of one school: those who share a number with an earlier one, and those who were the first to have theirs.
#[derive(Default)]
struct Shared {
    later: Vec<(String, Problem)>,
    first: Vec<String>,
}
