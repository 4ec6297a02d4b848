//! Persons by the words of their names (decision 0013).
use crate::{image::COLUMNS, image::StoredImage, table::ColumnType, table::Table};
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use time::Date;
use uuid::Uuid;

/// Whom to search for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Folded words, small letters and digits only; a name must have a word that begins with each.
    pub words: &'a [String],
    /// Only these schools; `None` for all.
    pub schools: Option<&'a [String]>,
    /// Only persons born on this day.
    pub birth_date: Option<Date>,
}

/// Who may be meant.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Record.
    pub record_id: Uuid,
    /// Its school.
    pub school_code: String,
    /// Name.
    pub name: String,
}

/// Persons whose names fit, at most `limit`, in any order. None for a kind without a searched name.
pub async fn candidates(
    conn: &mut PgConnection,
    table: &Table,
    wanted: &Wanted<'_>,
    limit: i64,
) -> Result<Vec<Candidate>, DbError> {
    let Some((name, words)) = searched(table) else { return Ok(vec![]) };
    let born = if wanted.birth_date.is_some() { "birth_date = $3" } else { "$3::date is null" };
    let schools = if wanted.schools.is_some() { "school_code = any($2)" } else { "$2::text[] is null" };
    let sql = format!(
        "select record_id, school_code, {name} from {} where {words} @@ $1::tsquery and {schools} and {born}
           and not withdrawn limit $4",
        table.name
    );
    let query: Vec<String> = wanted.words.iter().map(|word| format!("'{word}':*")).collect();
    // Planned anew each time: whether the school or the words lead faster depends on them.
    let rows = sqlx::query(AssertSqlSafe(sql))
        .persistent(false)
        .bind(query.join(" & "))
        .bind(wanted.schools)
        .bind(wanted.birth_date)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    let candidate = |row: &sqlx::postgres::PgRow| {
        Ok(Candidate { record_id: row.try_get(0)?, school_code: row.try_get(1)?, name: row.try_get(2)? })
    };
    Ok(rows.iter().map(candidate).collect::<Result<_, sqlx::Error>>()?)
}

/// Columns of the name and of its words.
fn searched(table: &Table) -> Option<(&str, &str)> {
    let words = table.columns.iter().find(|c| c.ty == ColumnType::Words)?;
    let name = table.columns.iter().find(|c| c.field == words.field && c.ty == ColumnType::Text)?;
    Some((name.name.as_str(), words.name.as_str()))
}

/// Live records by their ids, in any order.
pub async fn by_id(
    conn: &mut PgConnection,
    table: &Table,
    ids: &[Uuid],
) -> Result<Vec<StoredImage>, DbError> {
    let sql = format!("select {COLUMNS} from {} where record_id = any($1) and not withdrawn", table.name);
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(ids).fetch_all(conn).await?;
    Ok(rows.iter().map(StoredImage::from_row).collect::<Result<_, _>>()?)
}
