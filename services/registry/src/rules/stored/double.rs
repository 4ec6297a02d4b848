//! A pupil in class twice in one school year (domain.md C.9). Codes of pupils are theirs for life, so the second place may be
//! another school; codes of those who have none yet (TAM-) say something at their school only.
use super::context::{Context, IN_CLASS};
use eduhub_changelog::{ColumnValue, RowChange, Table};
use eduhub_ingest::Mark;
use eduhub_pg::DbError;
use eduhub_proto::{common::v1::Kind, registry::v1::Enrolment};
use eduhub_rules::{Rule, cross::in_class};
use prost::Message;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};

const RULE: Rule = Rule::DoubleEnrolment;

/// Code and school year.
type Pupil = (String, i32);

/// A pupil in class this school year.
pub fn marks(table: &Table, row: &RowChange, add: &mut dyn FnMut(Mark)) {
    if table.kind != Kind::Enrolment {
        return;
    }
    let text = |column| match table.value_of(row, column) {
        Some(ColumnValue::Text(value)) => Some(value.as_str()),
        _ => None,
    };
    let (Some(code), Some(status)) = (text("student_code"), text("student_status")) else { return };
    if in_class(status) && !code.starts_with("TAM-") {
        add(Mark::new(&[b"in_class", code.as_bytes(), &row.school_year.to_be_bytes()], false));
    }
}

pub async fn judge(conn: &mut PgConnection, context: &mut Context) -> Result<(), DbError> {
    if !context.written.has(Kind::Enrolment as i32) || !context.is_on(RULE) {
        return Ok(());
    }
    let mut pupils = twice_in_class(conn, context).await?;
    let open = context.open_keys(RULE, Kind::Enrolment);
    if !open.is_empty() {
        pupils.extend(of_open(conn, context, &open).await?);
    }
    if pupils.is_empty() {
        return Ok(());
    }
    context.look_at_open(RULE);
    for (code, enrolments) in enrolments_of(conn, &pupils).await? {
        for enrolment in &enrolments {
            context.look(RULE, Kind::Enrolment, &enrolment.school_code, &enrolment.record_key);
        }
        let seated: Vec<&Seat> = enrolments.iter().filter(|e| e.in_class).collect();
        for one in &seated {
            let same_place =
                |other: &&&Seat| other.school_code == one.school_code || !code.0.starts_with("TAM-");
            if seated
                .iter()
                .filter(|other| other.record_key != one.record_key || other.school_code != one.school_code)
                .any(|other| same_place(&other))
            {
                let at = (one.school_code.as_str(), one.record_key.as_str());
                context.find(RULE, Kind::Enrolment, at, "student_code", code.0.clone());
            }
        }
    }
    Ok(())
}

/// Pupils of the enrolments that came, who are in class elsewhere too.
async fn twice_in_class(conn: &mut PgConnection, context: &Context) -> Result<BTreeSet<Pupil>, DbError> {
    let sql = format!(
        "select distinct e.student_code, e.school_year from {} e cross join lateral (
           select 1 from enrolment_record o where o.student_code = e.student_code and o.school_year = e.school_year
             and o.record_id <> e.record_id and not o.withdrawn and o.student_status in {IN_CLASS}
             and (o.school_code = e.school_code or e.student_code not like 'TAM-%') offset 0) o
         where not e.withdrawn and e.student_status in {IN_CLASS}",
        context.rows(Kind::Enrolment, "enrolment_record")
    );
    let rows: Vec<Pupil> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(&context.written.school_code)
        .bind(context.xid)
        .bind(context.asked(Kind::Enrolment, &[]))
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Pupils of the enrolments with an open issue: as they are, and as they were before this transaction.
async fn of_open(
    conn: &mut PgConnection,
    context: &Context,
    keys: &[String],
) -> Result<BTreeSet<Pupil>, DbError> {
    let rows = sqlx::query(
        "select e.student_code, e.school_year, (select l.before_body from change_log l
             where l.xid = $2 and l.record_id = e.record_id and l.before_version is not null order by l.seq limit 1)
         from unnest($3::text[]) as asked(key) cross join lateral (
           select * from enrolment_record where school_code = $1 and record_key = asked.key offset 0) e",
    )
    .bind(&context.written.school_code)
    .bind(context.xid)
    .bind(keys)
    .fetch_all(conn)
    .await?;
    let mut pupils = BTreeSet::new();
    for row in rows {
        let year: i32 = row.try_get(1)?;
        if let Some(code) = row.try_get::<Option<String>, _>(0)? {
            pupils.insert((code, year));
        }
        if let Some(body) = row.try_get::<Option<&[u8]>, _>(2)?
            && let Ok(before) = Enrolment::decode(body)
        {
            pupils.insert((before.student_code, year));
        }
    }
    Ok(pupils)
}

struct Seat {
    school_code: String,
    record_key: String,
    in_class: bool,
}

async fn enrolments_of(
    conn: &mut PgConnection,
    pupils: &BTreeSet<Pupil>,
) -> Result<BTreeMap<Pupil, Vec<Seat>>, DbError> {
    let rows = sqlx::query(
        "select e.student_code, e.school_year, e.school_code, e.record_key, e.student_status
         from unnest($1::text[], $2::int[]) as p(code, year) cross join lateral (
           select * from enrolment_record where student_code = p.code and school_year = p.year and not withdrawn offset 0) e",
    )
    .bind(pupils.iter().map(|p| p.0.as_str()).collect::<Vec<_>>())
    .bind(pupils.iter().map(|p| p.1).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let mut out: BTreeMap<Pupil, Vec<Seat>> = BTreeMap::new();
    for row in rows {
        let seat = Seat {
            school_code: row.try_get(2)?,
            record_key: row.try_get(3)?,
            in_class: row.try_get::<Option<String>, _>(4)?.is_some_and(|status| in_class(&status)),
        };
        out.entry((row.try_get(0)?, row.try_get(1)?)).or_default().push(seat);
    }
    Ok(out)
}
