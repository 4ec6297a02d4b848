//! SQL of schools and administrative units.
use super::School;
use eduhub_pg::DbError;
use eduhub_proto::common::v1::Level;
use eduhub_proto::dictionary::Levels;
use eduhub_proto::registry::v1::{AdminUnit, SchoolEntry};
use sqlx::{PgConnection, Row, postgres::PgRow};

const COLUMNS: &str =
    "school_code, name, level, commune_code, province_code, directly_managed, independent_group";

fn read(row: &PgRow) -> Result<School, sqlx::Error> {
    Ok(School(SchoolEntry {
        school_code: row.try_get(0)?,
        name: row.try_get(1)?,
        level: i32::from(row.try_get::<i16, _>(2)?),
        commune_code: row.try_get(3)?,
        province_code: row.try_get(4)?,
        directly_managed: row.try_get(5)?,
        independent_group: row.try_get(6)?,
    }))
}

/// One school.
pub async fn get(conn: &mut PgConnection, school_code: &str) -> Result<Option<School>, DbError> {
    let sql = sqlx::AssertSqlSafe(format!("select {COLUMNS} from school where school_code = $1"));
    let row = sqlx::query(sql).bind(school_code).fetch_optional(conn).await?;
    Ok(row.as_ref().map(read).transpose()?)
}

/// Which schools a list asks for.
pub struct Filter<'a> {
    /// Everything.
    pub province: bool,
    /// Or these communes.
    pub communes: &'a [String],
    /// Or these schools.
    pub schools: &'a [String],
    /// And only this commune; empty for no limit.
    pub commune: &'a str,
}

/// Schools after a code, by code.
pub async fn list(
    conn: &mut PgConnection,
    filter: &Filter<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<School>, DbError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from school
         where school_code > $1 and ($2 or commune_code = any($3) or school_code = any($4)) and ($5 = '' or commune_code = $5)
         order by school_code limit $6"
    ));
    let rows = sqlx::query(sql)
        .bind(after)
        .bind(filter.province)
        .bind(filter.communes)
        .bind(filter.schools)
        .bind(filter.commune)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

/// Codes of all schools in these communes.
pub async fn in_communes(conn: &mut PgConnection, communes: &[String]) -> Result<Vec<String>, DbError> {
    let codes = sqlx::query_scalar("select school_code from school where commune_code = any($1)");
    Ok(codes.bind(communes).fetch_all(conn).await?)
}

/// Registers schools; gives the codes that are new and those that changed.
pub async fn register(
    conn: &mut PgConnection,
    schools: &[SchoolEntry],
) -> Result<(Vec<String>, Vec<String>), DbError> {
    let rows = sqlx::query(
        "insert into school as s (school_code, name, level, commune_code, province_code, directly_managed, independent_group)
         select * from unnest($1::text[], $2::text[], $3::int2[], $4::text[], $5::text[], $6::bool[], $7::bool[])
         on conflict (school_code) do update set name = excluded.name, level = excluded.level,
           commune_code = excluded.commune_code, province_code = excluded.province_code,
           directly_managed = excluded.directly_managed, independent_group = excluded.independent_group, updated_at = now()
         where (s.name, s.level, s.commune_code, s.province_code, s.directly_managed, s.independent_group) is distinct from
           (excluded.name, excluded.level, excluded.commune_code, excluded.province_code, excluded.directly_managed, excluded.independent_group)
         returning school_code, xmax = 0",
    )
    .bind(schools.iter().map(|s| s.school_code.as_str()).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| s.name.trim()).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| i16::try_from(s.level).unwrap_or_default()).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| s.commune_code.as_str()).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| s.province_code.as_str()).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| s.directly_managed).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| s.independent_group).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let (mut created, mut updated) = (Vec::new(), Vec::new());
    for row in rows {
        if row.try_get::<bool, _>(1)? { created.push(row.try_get(0)?) } else { updated.push(row.try_get(0)?) }
    }
    Ok((created, updated))
}

/// Which (province, commune) pairs are not in the list of administrative units.
pub async fn unknown_places(
    conn: &mut PgConnection,
    schools: &[SchoolEntry],
) -> Result<Vec<String>, DbError> {
    let rows = sqlx::query_scalar(
        "select distinct p.commune from unnest($1::text[], $2::text[]) as p(province, commune)
         where not exists (select 1 from admin_unit a where a.province_code = p.province and a.commune_code = p.commune)",
    )
    .bind(schools.iter().map(|s| s.province_code.as_str()).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| s.commune_code.as_str()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Communes of a province by code.
pub async fn admin_units(conn: &mut PgConnection, province_code: &str) -> Result<Vec<AdminUnit>, DbError> {
    let rows = sqlx::query(
        "select province_code, commune_code, name from admin_unit where province_code = $1 order by 2",
    )
    .bind(province_code)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|r| {
            Ok(AdminUnit { province_code: r.try_get(0)?, commune_code: r.try_get(1)?, name: r.try_get(2)? })
        })
        .collect()
}

/// True when the school year is open for data.
pub async fn year_is_open(conn: &mut PgConnection, school_year: i32) -> Result<bool, DbError> {
    let open: Option<bool> = sqlx::query_scalar("select open from school_year where school_year = $1")
        .bind(school_year)
        .fetch_optional(conn)
        .await?;
    Ok(open.unwrap_or_default())
}

/// Levels of a school: the one that it is registered with, and those of the grades that it teaches, because an inter-level
/// school is registered with one.
pub async fn levels(conn: &mut PgConnection, school_code: &str) -> Result<Levels, DbError> {
    let rows: Vec<(Option<i16>, Option<String>)> = sqlx::query_as(
        "select level, null from school where school_code = $1
         union
         select null, grade from class_record where school_code = $1 and not withdrawn",
    )
    .bind(school_code)
    .fetch_all(conn)
    .await?;
    let registered = rows.iter().filter_map(|(level, _)| Level::try_from(i32::from((*level)?)).ok());
    let registered: Levels = registered.collect();
    if registered.contains(Level::Continuing) {
        // The grades of a centre of continuing education are its own, not those of another level.
        return Ok(registered);
    }
    let taught = rows.iter().filter_map(|(_, grade)| grade.as_deref()).map(Levels::of_grade);
    Ok(taught.fold(registered, Levels::with))
}
