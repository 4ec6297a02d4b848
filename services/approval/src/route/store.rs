//! Routes and offices in Postgres.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::model::{Holds, Office, Route};

const COLUMNS: &str = "select route_id, scheme, dataset, level, directly_managed, valid_from, valid_to, version, \
    changed_at, array(select office from route_step s where s.route_id = r.route_id order by step_no) from route r";

/// Every route by dataset, level, superior and first day. A few dozen rows, whatever the size of the province.
pub(super) async fn all(conn: &mut PgConnection) -> sqlx::Result<Vec<Route>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{COLUMNS} order by dataset, level, directly_managed, valid_from, route_id"
    ));
    sqlx::query(sql).try_map(|row| route(&row)).fetch_all(conn).await
}

/// Every office by code.
pub(super) async fn offices(conn: &mut PgConnection) -> sqlx::Result<Vec<Office>> {
    let office =
        |row: PgRow| Ok(Office { code: row.try_get(0)?, name: row.try_get(1)?, by_place: row.try_get(2)? });
    sqlx::query("select code, name, by_place from office order by code").try_map(office).fetch_all(conn).await
}

/// Lets one writer of routes in at a time, readers not disturbed: what two puts must not both see as free is a period of
/// days, which no plain unique index can state.
pub(super) async fn lock(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("lock table route in share row exclusive mode").execute(conn).await.map(drop)
}

/// Stores a route and its steps, over one of the same id.
pub(super) async fn put(conn: &mut PgConnection, route: &Route, by: &str) -> sqlx::Result<()> {
    let Holds { dataset, level, directly_managed, valid_from, valid_to } = &route.holds;
    sqlx::query(
        "insert into route (route_id, scheme, dataset, level, directly_managed, valid_from, valid_to, changed_by) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) \
         on conflict (route_id) do update set scheme = excluded.scheme, dataset = excluded.dataset, \
         level = excluded.level, directly_managed = excluded.directly_managed, valid_from = excluded.valid_from, \
         valid_to = excluded.valid_to, changed_by = excluded.changed_by, version = route.version + 1, changed_at = now()",
    )
    .bind(route.id)
    .bind(route.scheme)
    .bind(dataset)
    .bind(level)
    .bind(directly_managed)
    .bind(valid_from)
    .bind(valid_to)
    .bind(by)
    .execute(&mut *conn)
    .await?;
    sqlx::query("delete from route_step where route_id = $1").bind(route.id).execute(&mut *conn).await?;
    sqlx::query(
        "insert into route_step (route_id, step_no, office) \
         select $1, step_no::smallint, office from unnest($2::text[]) with ordinality as t (office, step_no)",
    )
    .bind(route.id)
    .bind(&route.steps)
    .execute(conn)
    .await?;
    Ok(())
}

/// One route.
pub(super) async fn get(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Route>> {
    let sql = sqlx::AssertSqlSafe(format!("{COLUMNS} where route_id = $1"));
    sqlx::query(sql).bind(id).try_map(|row| route(&row)).fetch_optional(conn).await
}

fn route(row: &PgRow) -> sqlx::Result<Route> {
    Ok(Route {
        id: row.try_get(0)?,
        scheme: row.try_get(1)?,
        holds: Holds {
            dataset: row.try_get(2)?,
            level: row.try_get(3)?,
            directly_managed: row.try_get(4)?,
            valid_from: row.try_get(5)?,
            valid_to: row.try_get(6)?,
        },
        version: row.try_get(7)?,
        changed_at: row.try_get(8)?,
        steps: row.try_get(9)?,
    })
}
