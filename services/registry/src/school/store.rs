//! SQL of schools and administrative units.
use super::{School, model::Known};
use eduhub_pg::DbError;
use eduhub_proto::common::v1::Level;
use eduhub_proto::dictionary::Levels;
use eduhub_proto::registry::v1::{CampusEntry, SchoolEntry};
use sqlx::{PgConnection, Row, postgres::PgRow};

const COLUMNS: &str = "school_code, name, level, commune_code, province_code, directly_managed, independent_group, levels, ownership";

fn read(row: &PgRow) -> Result<School, sqlx::Error> {
    let level = i32::from(row.try_get::<i16, _>(2)?);
    let levels: Vec<i16> = row.try_get(7)?;
    // Rows of before levels were kept have only the main one.
    let levels = if levels.is_empty() { vec![level] } else { levels.into_iter().map(i32::from).collect() };
    Ok(School(SchoolEntry {
        school_code: row.try_get(0)?,
        name: row.try_get(1)?,
        level,
        levels,
        ownership: row.try_get(8)?,
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

/// Keys of entries that are new, and of those that changed.
pub struct Registered {
    /// New.
    pub created: Vec<String>,
    /// Changed.
    pub updated: Vec<String>,
}

fn registered(rows: &[PgRow]) -> Result<Registered, sqlx::Error> {
    let mut done = Registered { created: vec![], updated: vec![] };
    for row in rows {
        if row.try_get(1)? { done.created.push(row.try_get(0)?) } else { done.updated.push(row.try_get(0)?) }
    }
    Ok(done)
}

/// Registers schools. An empty ownership leaves the known one.
pub async fn register(conn: &mut PgConnection, schools: &[SchoolEntry]) -> Result<Registered, DbError> {
    let small = |n: i32| i16::try_from(n).unwrap_or_default();
    // Arrays can't be unnested row by row: the levels travel as text.
    let levels = |s: &SchoolEntry| {
        format!("{{{}}}", s.levels.iter().map(i32::to_string).collect::<Vec<_>>().join(","))
    };
    let rows = sqlx::query(
        "insert into school as s (school_code, name, level, commune_code, province_code, directly_managed,
           independent_group, levels, ownership)
         select c, n, l, x, p, d, i, v::smallint[], o
         from unnest($1::text[], $2::text[], $3::int2[], $4::text[], $5::text[], $6::bool[], $7::bool[], $8::text[],
           $9::text[]) e(c, n, l, x, p, d, i, v, o)
         on conflict (school_code) do update set name = excluded.name, level = excluded.level,
           commune_code = excluded.commune_code, province_code = excluded.province_code,
           directly_managed = excluded.directly_managed, independent_group = excluded.independent_group,
           levels = excluded.levels, ownership = coalesce(nullif(excluded.ownership, ''), s.ownership), updated_at = now()
         where (s.name, s.level, s.commune_code, s.province_code, s.directly_managed, s.independent_group,
             case when s.levels = '{}' then array[s.level] else s.levels end, s.ownership) is distinct from
           (excluded.name, excluded.level, excluded.commune_code, excluded.province_code, excluded.directly_managed,
             excluded.independent_group, excluded.levels, coalesce(nullif(excluded.ownership, ''), s.ownership))
         returning school_code, xmax = 0",
    )
    .bind(schools.iter().map(|s| s.school_code.as_str()).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| s.name.trim()).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| small(s.level)).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| s.commune_code.as_str()).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| s.province_code.as_str()).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| s.directly_managed).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| s.independent_group).collect::<Vec<_>>())
    .bind(schools.iter().map(levels).collect::<Vec<_>>())
    .bind(schools.iter().map(|s| s.ownership.as_str()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(registered(&rows)?)
}

/// Registers campuses.
pub async fn register_campuses(
    conn: &mut PgConnection,
    campuses: &[CampusEntry],
) -> Result<Registered, DbError> {
    let rows = sqlx::query(
        "insert into registered_campus as r (school_code, campus_code, name, commune_code, address_line)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
         on conflict (school_code, campus_code) do update set name = excluded.name, commune_code = excluded.commune_code,
           address_line = excluded.address_line, updated_at = now()
         where (r.name, r.commune_code, r.address_line) is distinct from
           (excluded.name, excluded.commune_code, excluded.address_line)
         returning campus_code, xmax = 0",
    )
    .bind(campuses.iter().map(|c| c.school_code.as_str()).collect::<Vec<_>>())
    .bind(campuses.iter().map(|c| c.campus_code.as_str()).collect::<Vec<_>>())
    .bind(campuses.iter().map(|c| c.name.trim()).collect::<Vec<_>>())
    .bind(campuses.iter().map(|c| c.commune_code.as_str()).collect::<Vec<_>>())
    .bind(campuses.iter().map(|c| c.address_line.trim()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(registered(&rows)?)
}

/// Registered campuses of a school by code, with whether a record of each is here.
pub async fn campuses(conn: &mut PgConnection, school_code: &str) -> Result<Vec<CampusEntry>, DbError> {
    let rows = sqlx::query(
        "select r.school_code, r.campus_code, r.name, r.commune_code, r.address_line, exists (
           select 1 from campus_record c
           where c.school_code = r.school_code and c.record_key = r.campus_code and not c.withdrawn)
         from registered_campus r where r.school_code = $1 order by 2",
    );
    let rows = rows.bind(school_code).fetch_all(conn).await?;
    let campus = |r: &PgRow| {
        Ok::<_, sqlx::Error>(CampusEntry {
            school_code: r.try_get(0)?,
            campus_code: r.try_get(1)?,
            name: r.try_get(2)?,
            commune_code: r.try_get(3)?,
            address_line: r.try_get(4)?,
            has_record: r.try_get(5)?,
        })
    };
    Ok(rows.iter().map(campus).collect::<Result<_, _>>()?)
}

/// What is known of the places and codes that registrations name.
pub async fn known(
    conn: &mut PgConnection,
    schools: &[SchoolEntry],
    campuses: &[CampusEntry],
) -> Result<Known, DbError> {
    let places = schools.iter().map(|s| s.commune_code.as_str());
    let places: Vec<&str> = places.chain(campuses.iter().map(|c| c.commune_code.as_str())).collect();
    let communes: Vec<(String, String)> =
        sqlx::query_as("select commune_code, province_code from admin_unit where commune_code = any($1)")
            .bind(places)
            .fetch_all(&mut *conn)
            .await?;
    let ownerships: Vec<String> =
        sqlx::query_scalar("select code from code where list = 'DM_LOAI_HINH_TRUONG_PT'")
            .fetch_all(&mut *conn)
            .await?;
    let here: Vec<(String, String)> =
        sqlx::query_as("select school_code, province_code from school where school_code = any($1)")
            .bind(campuses.iter().map(|c| c.school_code.as_str()).collect::<Vec<_>>())
            .fetch_all(conn)
            .await?;
    Ok(Known {
        communes: communes.into_iter().collect(),
        ownerships: ownerships.into_iter().collect(),
        schools: here.into_iter().collect(),
    })
}

/// True when the school year is open for data.
pub async fn year_is_open(conn: &mut PgConnection, school_year: i32) -> Result<bool, DbError> {
    let open: Option<bool> = sqlx::query_scalar("select open from school_year where school_year = $1")
        .bind(school_year)
        .fetch_optional(conn)
        .await?;
    Ok(open.unwrap_or_default())
}

/// Levels of a school: those that it is registered with, and those of the grades that it teaches, because an inter-level school
/// may be registered with one.
pub async fn levels(conn: &mut PgConnection, school_code: &str) -> Result<Levels, DbError> {
    let rows: Vec<(Option<i16>, Option<String>)> = sqlx::query_as(
        "select l, null from school, unnest(levels || level) l where school_code = $1
         union
         select null, grade from class_record where school_code = $1 and not withdrawn",
    )
    .bind(school_code)
    .fetch_all(conn)
    .await?;
    let registered = rows.iter().filter_map(|(level, _)| Level::try_from(i32::from((*level)?)).ok());
    let registered: Levels = registered.collect();
    if registered == Levels::of(Level::Continuing) {
        // The grades of a centre of continuing education are its own, not those of another level.
        return Ok(registered);
    }
    let taught = rows.iter().filter_map(|(_, grade)| grade.as_deref()).map(Levels::of_grade);
    Ok(taught.fold(registered, Levels::with))
}
