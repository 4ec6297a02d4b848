//! More pupils in a class than is plausible. The norm is below: preschool 35, primary 35, secondary 45; sixteen schools of the
//! province are above it (domain.md F), so what is warned of is what no classroom holds.
use super::context::{Context, IN_CLASS};
use eduhub_pg::DbError;
use eduhub_proto::common::v1::Kind;
use eduhub_rules::Rule;
use sqlx::{AssertSqlSafe, PgConnection};

const RULE: Rule = Rule::ClassSize;

/// Most pupils of a class of a grade that are plausible (own proposal).
fn most(grade: &str) -> i64 {
    match grade.parse() {
        Ok(13_u8..=18) => 40,
        Ok(1..=5) => 50,
        _ => 55,
    }
}

pub async fn judge(conn: &mut PgConnection, context: &mut Context) -> Result<(), DbError> {
    if !context.written.has(Kind::Enrolment as i32) || !context.is_on(RULE) {
        return Ok(());
    }
    context.look_at_open(RULE);
    let open = context.open_keys(RULE, Kind::Class);
    let school = context.written.school_code.clone();
    // Only classes that somebody came to can have become too large; those that were may have become small enough.
    let sql = format!(
        "with c as (
           select distinct e.school_year, e.class_code from {} e where not e.withdrawn and e.student_status in {IN_CLASS}
           union select left(key, 4)::int, substr(key, 6) from unnest($4::text[]) as key
         )
         select k.record_key, k.grade, n.pupils from c
         cross join lateral (select * from class_record
           where school_code = $1 and record_key = c.school_year || '/' || c.class_code and not withdrawn offset 0) k
         cross join lateral (select count(*) as pupils from enrolment_record e
           where (e.school_code || '/' || e.class_code) collate \"C\" = $1 || '/' || c.class_code and e.school_year = c.school_year
             and e.student_code is not null and not e.withdrawn and e.student_status in {IN_CLASS}) n",
        context.rows(Kind::Enrolment, "enrolment_record")
    );
    let rows: Vec<(String, Option<String>, i64)> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(&school)
        .bind(context.xid)
        .bind(Vec::<String>::new())
        .bind(open)
        .fetch_all(conn)
        .await?;
    for (key, grade, pupils) in rows {
        if pupils > most(grade.as_deref().unwrap_or_default()) {
            context.find(RULE, Kind::Class, (&school, &key), "class_code", pupils.to_string());
        }
    }
    Ok(())
}
