//! SQL of code lists.
use eduhub_pg::DbError;
use eduhub_proto::registry::v1::Code;
use sqlx::{PgConnection, Row};
use time::Date;

/// Version of the lists; rises with every change.
pub async fn version(conn: &mut PgConnection) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar("select version from code_list_version").fetch_one(conn).await?)
}

/// Codes of a list (empty: of all), administrative units included as DM_TINH and DM_XA.
pub async fn codes(conn: &mut PgConnection, list: &str) -> Result<Vec<Code>, DbError> {
    let rows = sqlx::query(
        "select list, code, name, coalesce(valid_from::text, ''), coalesce(valid_to::text, '') from (
           select list, code, name, valid_from, valid_to from code
           union all select 'DM_XA', commune_code, name, null, null from admin_unit
           union all select distinct 'DM_TINH', province_code, province_code, null::date, null::date from admin_unit
         ) c where $1 = '' or list = $1 order by 1, 2",
    )
    .bind(list)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|r| {
            Ok(Code {
                list: r.try_get(0)?,
                code: r.try_get(1)?,
                name: r.try_get(2)?,
                valid_from: r.try_get(3)?,
                valid_to: r.try_get(4)?,
            })
        })
        .collect()
}

/// Writes seed codes that are not there yet; raises the version when any was new.
pub async fn seed_codes(conn: &mut PgConnection, rows: &[Vec<String>]) -> Result<(), DbError> {
    let column = |i: usize| rows.iter().map(|r| r.get(i).cloned().unwrap_or_default()).collect::<Vec<_>>();
    let date = |i: usize| {
        let parse = |r: &Vec<String>| {
            r.get(i).and_then(|t| Date::parse(t, &time::format_description::well_known::Iso8601::DATE).ok())
        };
        rows.iter().map(parse).collect::<Vec<Option<Date>>>()
    };
    let done = sqlx::query(
        "insert into code (list, code, name, valid_from, valid_to)
         select * from unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::date[]) on conflict do nothing",
    )
    .bind(column(0))
    .bind(column(1))
    .bind(column(2))
    .bind(date(3))
    .bind(date(4))
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() > 0 {
        sqlx::query("update code_list_version set version = version + 1").execute(conn).await?;
    }
    Ok(())
}

/// Writes seed units that are not there yet; columns as in the seed file.
pub async fn seed_units(conn: &mut PgConnection, rows: &[Vec<String>]) -> Result<(), DbError> {
    let column = |i: usize| rows.iter().map(|r| r.get(i).cloned().unwrap_or_default()).collect::<Vec<_>>();
    let done = sqlx::query(
        "insert into admin_unit (province_code, commune_code, name)
         select * from unnest($1::text[], $2::text[], $3::text[]) on conflict do nothing",
    )
    .bind(column(0))
    .bind(column(2))
    .bind(column(3))
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() > 0 {
        sqlx::query("update code_list_version set version = version + 1").execute(conn).await?;
    }
    Ok(())
}
