//! Counts of live records by their columns and those of their parents.
use crate::table::Table;
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::fmt::Write;

/// A column of the counted table, or of the record that one of its columns names.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// School.
    School,
    /// School year.
    SchoolYear,
    /// Column of the table.
    Own(&'static str),
    /// Column of a parent.
    Parent {
        /// Column that names the parent.
        by: &'static str,
        /// Table of the parent.
        table: &'static Table,
        /// Column of the parent.
        column: &'static str,
    },
}

/// What to count.
#[derive(Debug, Default)]
pub struct Counting {
    /// Only these schools; `None` for all.
    pub schools: Option<Vec<String>>,
    /// School year of a yearly kind; 0 for all.
    pub school_year: i32,
    /// Only records with these values.
    pub conditions: Vec<(Source, String)>,
    /// By what.
    pub by: Vec<Source>,
}

/// Records with the same values, in the order of the sources; `None` where a record has none.
pub type Cell = (Vec<Option<String>>, i64);

/// Counts in the order of their values, at most `limit`.
pub async fn count(
    conn: &mut PgConnection,
    table: &Table,
    what: &Counting,
    limit: i64,
) -> Result<Vec<Cell>, DbError> {
    let mut joins = Joins { table, sql: String::new(), made: vec![] };
    let by: Vec<String> = what.by.iter().map(|source| joins.expression(*source)).collect();
    let mut conditions = String::new();
    for ((source, _), n) in what.conditions.iter().zip(4..) {
        let expression = joins.expression(*source);
        let _ = write!(conditions, " and {expression} = ${n}");
    }
    let columns: String = by.iter().map(|b| format!("{b}, ")).collect();
    let places = (1..=by.len()).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let groups = if by.is_empty() { String::new() } else { format!("group by {places} order by {places}") };
    let schools = if what.schools.is_some() { "t.school_code = any($1)" } else { "$1::text[] is null" };
    let sql = format!(
        "select {columns}count(*) from {} t{} where not t.withdrawn and {schools}
         and ($2 = 0 or t.school_year = $2){conditions} {groups} limit $3",
        table.name, joins.sql
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    query = query.bind(&what.schools).bind(what.school_year).bind(limit);
    for (_, value) in &what.conditions {
        query = query.bind(value);
    }
    let rows = query.fetch_all(conn).await?;
    let cell = |row: &sqlx::postgres::PgRow| {
        let values = (0..by.len()).map(|i| row.try_get(i)).collect::<Result<_, sqlx::Error>>()?;
        Ok((values, row.try_get(by.len())?))
    };
    Ok(rows.iter().map(cell).collect::<Result<_, sqlx::Error>>()?)
}

/// Lets the statements of this transaction go through whole tables: what counts all schools reads all rows.
pub async fn allow_whole_tables(conn: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query("set local enable_seqscan = on").execute(conn).await?;
    Ok(())
}

/// The joined parents of a statement, each once.
struct Joins<'t> {
    table: &'t Table,
    sql: String,
    made: Vec<(&'static str, &'static str)>,
}

impl Joins<'_> {
    fn expression(&mut self, source: Source) -> String {
        match source {
            Source::School => "t.school_code".to_owned(),
            Source::SchoolYear => "t.school_year::text".to_owned(),
            Source::Own(column) => format!("t.{column}"),
            Source::Parent { by, table, column } => format!("{}.{column}", self.parent(by, table)),
        }
    }

    /// Alias of a parent.
    fn parent(&mut self, by: &'static str, parent: &Table) -> String {
        let at = self.made.iter().position(|made| *made == (by, parent.name));
        let alias = format!("p{}", at.unwrap_or(self.made.len()));
        if at.is_none() {
            // A parent of a yearly kind stands in the same school year.
            let yearly = parent.meta.yearly && self.table.meta.yearly;
            let key = if yearly { format!("t.school_year || '/' || t.{by}") } else { format!("t.{by}") };
            let _ = write!(
                self.sql,
                " left join {} {alias} on {alias}.school_code = t.school_code and {alias}.record_key = {key} and not {alias}.withdrawn",
                parent.name
            );
            self.made.push((by, parent.name));
        }
        alias
    }
}
