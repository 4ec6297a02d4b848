//! Results, retakes and graduations of pupils who have no enrolment that they can belong to (domain.md C.6, C.7).
use super::context::Context;
use eduhub_pg::DbError;
use eduhub_proto::{
    common::v1::Kind,
    registry::v1::{Enrolment, Graduation},
};
use eduhub_rules::Rule;
use prost::Message;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::BTreeSet;

const RULE: Rule = Rule::NotEnrolled;

/// A kind of result: its table, the keys that a pupil's results have after the year, and which enrolments `e` a result `r` can
/// belong to. Who left in a term has results up to that term.
struct Results {
    kind: Kind,
    table: &'static str,
    keys: &'static [&'static str],
    fits: &'static str,
}

const RESULTS: [Results; 3] = [
    Results {
        kind: Kind::TermResult,
        table: "term_result_record",
        keys: &["1/", "2/", "3/"],
        fits:
            "e.class_code = r.class_code and not (r.term in ('2', '3') and e.student_status in ('04', '05'))
           and not (r.term = '3' and e.student_status in ('08', '09'))",
    },
    Results {
        kind: Kind::Retake,
        table: "retake_record",
        keys: &[""],
        fits: "e.student_status not in ('04', '05', '08', '09')",
    },
    Results {
        kind: Kind::Graduation,
        table: "graduation_record",
        keys: &[""],
        fits: "e.grade in ('9', '12') and e.student_status not in ('04', '05', '08', '09')",
    },
];

pub async fn judge(conn: &mut PgConnection, context: &mut Context) -> Result<(), DbError> {
    let enrolments_changed = context.written.changed.contains(&(Kind::Enrolment as i32));
    let enrolled = context.written.has(Kind::Enrolment as i32);
    let concerned = enrolled || RESULTS.iter().any(|r| context.written.has(r.kind as i32));
    // Who only tries a batch may have sent the enrolment in the one before.
    if !concerned || !context.written.complete || !context.is_on(RULE) {
        return Ok(());
    }
    context.look_at_open(RULE);
    let pupils = if enrolments_changed { changed_pupils(conn, context).await? } else { BTreeSet::new() };
    for results in &RESULTS {
        let mut keys = context.open_keys(RULE, results.kind);
        let of = |(year, code): &(i32, String)| {
            results.keys.iter().map(move |part| format!("{year}/{part}{code}")).collect::<Vec<_>>()
        };
        keys.extend(pupils.iter().flat_map(of));
        if context.written.has(results.kind as i32) || !keys.is_empty() {
            one(conn, context, results, &keys).await?;
        }
    }
    Ok(())
}

async fn one(
    conn: &mut PgConnection,
    context: &mut Context,
    results: &Results,
    keys: &[String],
) -> Result<(), DbError> {
    let school = context.written.school_code.clone();
    let sql = format!(
        "select r.record_key, r.body from {rows} r left join lateral (
           select true as here from enrolment_record e where e.student_code = r.student_code and e.school_year = r.school_year
             and e.school_code || '' = $1 and not e.withdrawn and {fits} limit 1) e on true
         where not r.withdrawn and e.here is null",
        rows = context.rows(results.kind, results.table),
        fits = results.fits,
    );
    let rows =
        sqlx::query(AssertSqlSafe(sql)).bind(&school).bind(context.xid).bind(keys).fetch_all(conn).await?;
    for row in rows {
        let key: String = row.try_get(0)?;
        let free = results.kind == Kind::Graduation
            && Graduation::decode(row.try_get::<&[u8], _>(1)?)
                .is_ok_and(|g| g.is_free_candidate == Some(true));
        if !free {
            context.find(RULE, results.kind, (&school, &key), "student_code", String::new());
        }
    }
    Ok(())
}

/// School year and code of the pupils whose enrolments this transaction changed, as they were before.
async fn changed_pupils(
    conn: &mut PgConnection,
    context: &Context,
) -> Result<BTreeSet<(i32, String)>, DbError> {
    let rows = sqlx::query(
        "select left(l.record_key, 4)::int, l.before_body from change_log l
         where l.xid = $2 and l.school_code = $1 and l.kind = 6 and l.before_version is not null",
    )
    .bind(&context.written.school_code)
    .bind(context.xid)
    .fetch_all(conn)
    .await?;
    let mut pupils = BTreeSet::new();
    for row in rows {
        if let Ok(before) = Enrolment::decode(row.try_get::<&[u8], _>(1)?) {
            pupils.insert((row.try_get(0)?, before.student_code));
        }
    }
    Ok(pupils)
}
