//! SQL of administrative units.
use super::{LAST_DAY, Seed, seed::Former};
use eduhub_pg::DbError;
use eduhub_proto::registry::v1::{AdminUnit, ConvertedAdminUnit, UnitChange, UnitSuccessor};
use sqlx::{PgConnection, Row, postgres::PgRow};
use std::collections::HashMap;

/// Writes the units that come with the hub; those that are there get the names of this version.
pub async fn seed(conn: &mut PgConnection, units: &Seed) -> Result<(), DbError> {
    sqlx::query(
        "insert into admin_unit as a (commune_code, name, province_code, province_name)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
         on conflict (commune_code) do update set name = excluded.name, province_name = excluded.province_name
         where (a.name, a.province_name) is distinct from (excluded.name, excluded.province_name)",
    )
    .bind(units.communes.iter().map(|c| c.code.as_str()).collect::<Vec<_>>())
    .bind(units.communes.iter().map(|c| c.name.as_str()).collect::<Vec<_>>())
    .bind(units.communes.iter().map(|c| c.province_code.as_str()).collect::<Vec<_>>())
    .bind(units.communes.iter().map(|c| c.province_name.as_str()).collect::<Vec<_>>())
    .execute(&mut *conn)
    .await?;
    // Arrays can't be unnested row by row: the successors travel as text.
    let successors = |f: &Former| format!("{{{}}}", f.successors.join(","));
    sqlx::query(
        "insert into former_unit as f (code, name, parent_code, whole, successors)
         select c, n, p, w, s::text[] from unnest($1::text[], $2::text[], $3::text[], $4::bool[], $5::text[]) e(c, n, p, w, s)
         on conflict (code) do update set name = excluded.name, parent_code = excluded.parent_code,
           whole = excluded.whole, successors = excluded.successors
         where (f.name, f.parent_code, f.whole, f.successors) is distinct from
           (excluded.name, excluded.parent_code, excluded.whole, excluded.successors)",
    )
    .bind(units.former.iter().map(|f| f.code.as_str()).collect::<Vec<_>>())
    .bind(units.former.iter().map(|f| f.name.as_str()).collect::<Vec<_>>())
    .bind(units.former.iter().map(|f| f.parent.as_str()).collect::<Vec<_>>())
    .bind(units.former.iter().map(|f| f.whole).collect::<Vec<_>>())
    .bind(units.former.iter().map(successors).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Communes of a province of today, by code.
pub async fn current(conn: &mut PgConnection, province_code: &str) -> Result<Vec<AdminUnit>, DbError> {
    let rows = sqlx::query(
        "select province_code, commune_code, name, province_name from admin_unit where province_code = $1 order by 2",
    );
    let rows = rows.bind(province_code).fetch_all(conn).await?;
    Ok(rows.iter().map(|r| of_today(r, 0)).collect::<Result<_, _>>()?)
}

/// Communes of a province before July 2025, by code; a district without communes stands for itself.
pub async fn former(conn: &mut PgConnection, province_code: &str) -> Result<Vec<AdminUnit>, DbError> {
    let rows = sqlx::query(
        "select p.code, p.name, d.code, d.name, c.code, c.name
         from former_unit p join former_unit d on d.parent_code = p.code left join former_unit c on c.parent_code = d.code
         where p.code = $1 and length(p.code) = 2 order by coalesce(c.code, d.code)",
    );
    let rows = rows.bind(province_code).fetch_all(conn).await?;
    let unit = |r: &PgRow| {
        let district: String = r.try_get(3)?;
        Ok::<_, sqlx::Error>(AdminUnit {
            province_code: r.try_get(0)?,
            province_name: r.try_get(1)?,
            district_code: r.try_get(2)?,
            commune_code: r.try_get::<Option<_>, _>(4)?.unwrap_or_default(),
            name: r.try_get::<Option<_>, _>(5)?.unwrap_or_else(|| district.clone()),
            district_name: district,
            valid_to: LAST_DAY.to_string(),
        })
    };
    Ok(rows.iter().map(unit).collect::<Result<_, _>>()?)
}

/// What became of units, in the order of their codes.
pub async fn convert(conn: &mut PgConnection, codes: &[String]) -> Result<Vec<ConvertedAdminUnit>, DbError> {
    let units = former_by_code(conn, codes).await?;
    let successors = successors_by_code(conn, codes).await?;
    let living: Vec<String> = sqlx::query_scalar(
        "select commune_code from admin_unit where commune_code = any($1)
         union select province_code from admin_unit where province_code = any($1)",
    )
    .bind(codes)
    .fetch_all(conn)
    .await?;
    let one = |code: &String| ConvertedAdminUnit {
        code: code.clone(),
        former: units.get(code).cloned(),
        successors: successors.get(code).cloned().unwrap_or_default(),
        code_lives_on: living.contains(code),
    };
    Ok(codes.iter().map(one).collect())
}

async fn former_by_code(
    conn: &mut PgConnection,
    codes: &[String],
) -> Result<HashMap<String, AdminUnit>, DbError> {
    let rows = sqlx::query(
        "select u.code, u.name, p.code, p.name, pp.code, pp.name from former_unit u
         left join former_unit p on p.code = u.parent_code left join former_unit pp on pp.code = p.parent_code
         where u.code = any($1)",
    );
    let rows = rows.bind(codes).fetch_all(conn).await?;
    let mut units = HashMap::new();
    for r in &rows {
        let text = |i: usize| r.try_get::<Option<String>, _>(i).map(Option::unwrap_or_default);
        let (code, name) = (text(0)?, text(1)?);
        let (parent, above) = ((text(2)?, text(3)?), (text(4)?, text(5)?));
        let mut unit =
            AdminUnit { name: name.clone(), valid_to: LAST_DAY.to_string(), ..AdminUnit::default() };
        match code.len() {
            2 => (unit.province_code, unit.province_name) = (code.clone(), name),
            3 => {
                (unit.district_code, unit.district_name) = (code.clone(), name);
                (unit.province_code, unit.province_name) = parent;
            }
            _ => {
                unit.commune_code.clone_from(&code);
                (unit.district_code, unit.district_name) = parent;
                (unit.province_code, unit.province_name) = above;
            }
        }
        units.insert(code, unit);
    }
    Ok(units)
}

async fn successors_by_code(
    conn: &mut PgConnection,
    codes: &[String],
) -> Result<HashMap<String, Vec<UnitSuccessor>>, DbError> {
    // Of a district without a successor of its own: what took its communes, of which each is a part of it.
    let rows = sqlx::query(
        "with went as (
           select code as asked, unnest(successors) as successor, whole from former_unit where code = any($1)
           union
           select parent_code, unnest(successors), false from former_unit where parent_code = any($1) and length(parent_code) = 3
         )
         select w.asked, w.whole, a.province_code, a.commune_code, a.name, a.province_name
         from went w join admin_unit a on a.commune_code = w.successor
         union all
         select w.asked, w.whole, p.province_code, '', p.province_name, p.province_name
         from went w join (select distinct province_code, province_name from admin_unit) p on p.province_code = w.successor
         order by 1, 4",
    );
    let rows = rows.bind(codes).fetch_all(conn).await?;
    let mut successors: HashMap<String, Vec<UnitSuccessor>> = HashMap::new();
    for r in &rows {
        let change = if r.try_get(1)? { UnitChange::Whole } else { UnitChange::Part };
        let successor = UnitSuccessor { unit: Some(of_today(r, 2)?), change: change as i32 };
        successors.entry(r.try_get(0)?).or_default().push(successor);
    }
    Ok(successors)
}

/// A unit of today from four columns: province, commune, name, name of the province.
fn of_today(row: &PgRow, at: usize) -> Result<AdminUnit, sqlx::Error> {
    Ok(AdminUnit {
        province_code: row.try_get(at)?,
        commune_code: row.try_get(at + 1)?,
        name: row.try_get(at + 2)?,
        province_name: row.try_get(at + 3)?,
        ..AdminUnit::default()
    })
}
