//! Height that fell by more than 2 cm between two measurements (domain.md C.10).
use super::context::Context;
use eduhub_pg::DbError;
use eduhub_proto::common::v1::Kind;
use eduhub_rules::Rule;
use sqlx::{AssertSqlSafe, PgConnection};

const RULE: Rule = Rule::HeightDrop;

pub async fn judge(conn: &mut PgConnection, context: &mut Context) -> Result<(), DbError> {
    if !context.written.has(Kind::Health as i32) || !context.is_on(RULE) {
        return Ok(());
    }
    context.look_at_open(RULE);
    let open = context.open_keys(RULE, Kind::Health);
    if open.is_empty() && !has_other_terms(conn, context).await? {
        return Ok(());
    }
    let school = context.written.school_code.clone();
    // Keys are year, term, pupil: earlier and later measurements are found by them. A height that is no plausible one has a
    // finding of its own.
    let sql = format!(
        "with t as (
           select left(record_key, 4)::int as year, substr(record_key, 8) as pupil from {} t
           union select left(key, 4)::int, substr(key, 8) from unnest($3::text[]) as key
         ), later as (
           select distinct h.record_key, h.height_cm, h.measured_on, left(h.record_key, 4)::int as year, t.pupil
           from t cross join unnest(array[0, 1]) as ahead(years) cross join unnest(array['/1/', '/2/']) as term(part)
           cross join lateral (select * from health_record
             where school_code = $1 and record_key = (t.year + ahead.years) || term.part || t.pupil offset 0) h
           where not h.withdrawn and h.height_cm between 40 and 220
         )
         select l.record_key from later l cross join lateral (
           select e.height_cm from unnest(array[l.year || '/1/', l.year || '/2/', (l.year - 1) || '/1/', (l.year - 1) || '/2/'])
             as part(key) cross join lateral (select * from health_record
               where school_code = $1 and record_key = part.key || l.pupil offset 0) e
           where not e.withdrawn and e.measured_on < l.measured_on and e.height_cm between 40 and 220
           order by e.measured_on desc limit 1) e
         where e.height_cm - l.height_cm > 2",
        context.touched(Kind::Health, "health_record")
    );
    let keys: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(&school)
        .bind(context.xid)
        .bind(open)
        .fetch_all(conn)
        .await?;
    for key in keys {
        // How much is sensitive, and the school knows both measurements.
        context.find(RULE, Kind::Health, (&school, &key), "height_cm", String::new());
    }
    Ok(())
}

/// True when there is any measurement of another year or term than the one that came: in a first load of one term there is
/// nothing to compare with.
async fn has_other_terms(conn: &mut PgConnection, context: &Context) -> Result<bool, DbError> {
    let sql = format!(
        "select first <> last
           or exists (select 1 from health_record h where h.school_code = $1 and h.record_key < first)
           or exists (select 1 from health_record h where h.school_code = $1 and h.record_key > last || '~')
         from (select min(left(record_key, 7)) as first, max(left(record_key, 7)) as last from {} t) span",
        context.touched(Kind::Health, "health_record")
    );
    let other: Option<bool> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(&context.written.school_code)
        .bind(context.xid)
        .fetch_one(conn)
        .await?;
    Ok(other.unwrap_or_default())
}
