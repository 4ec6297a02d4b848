//! Teachers of a class's subjects who are not on the staff, or not in service (domain.md C.3, D.10): judged as its homeroom teacher is,
//! for the classes of the school's last year, when classes or staff were written. A class has its list in its body; a school has a few
//! dozen classes.
use super::context::Context;
use eduhub_pg::DbError;
use eduhub_proto::common::v1::Kind;
use eduhub_rules::Rule;
use prost::Message;
use sqlx::{PgConnection, Row};
use std::collections::BTreeSet;

const RULE: Rule = Rule::SubjectTeacher;

/// Of a class only who teaches in it.
#[derive(Clone, PartialEq, Message)]
struct Taught {
    #[prost(message, repeated, tag = "21")]
    assignments: Vec<Assigned>,
}

#[derive(Clone, PartialEq, Message)]
struct Assigned {
    #[prost(string, optional, tag = "3")]
    staff_code: Option<String>,
}

pub async fn judge(conn: &mut PgConnection, context: &mut Context) -> Result<(), DbError> {
    let concerned = context.written.has(Kind::Class as i32) || context.written.has(Kind::Staff as i32);
    // Who only tries a batch may have sent the teacher in the one before.
    if !concerned || !context.written.complete || !context.is_on(RULE) {
        return Ok(());
    }
    context.look_at_open(RULE);
    let school = context.written.school_code.clone();
    let classes = assignments(conn, context).await?;
    let codes: BTreeSet<&str> = classes.iter().flat_map(|c| &c.1).map(|(_, code)| code.as_str()).collect();
    if codes.is_empty() {
        return Ok(());
    }
    let active = active(conn, &school, &codes).await?;
    for (key, teachers) in &classes {
        if let Some((at, code)) = teachers.iter().find(|(_, code)| !active.contains(code)) {
            let field = format!("subject_assignments[{at}].staff_code");
            context.find(RULE, Kind::Class, (&school, key), &field, code.clone());
        }
    }
    Ok(())
}

/// A class by its key: place in its list and code of everybody who teaches in it.
type Class = (String, Vec<(usize, String)>);

async fn assignments(conn: &mut PgConnection, context: &Context) -> Result<Vec<Class>, DbError> {
    let rows = sqlx::query(
        "select k.record_key, k.body from class_record k
         where k.school_code = $1 and k.record_key >= $2 || '/' and k.record_key < $2 || '0' and not k.withdrawn
           and k.disbanded is not true
           and exists (select 1 from staff_record a where a.school_code = $1 and not a.withdrawn)
           and not exists (select 1 from class_record n where n.school_code = $1 and n.record_key >= $3 and not n.withdrawn)",
    )
    .bind(&context.written.school_code)
    .bind(context.written.school_year.to_string())
    .bind((context.written.school_year + 1).to_string())
    .fetch_all(conn)
    .await?;
    let mut classes = Vec::new();
    for row in rows {
        let taught = Taught::decode(row.try_get::<&[u8], _>(1)?).unwrap_or_default();
        let teachers = taught.assignments.into_iter().enumerate();
        let teachers: Vec<_> = teachers.filter_map(|(at, a)| Some((at, a.staff_code?))).collect();
        if !teachers.is_empty() {
            classes.push((row.try_get(0)?, teachers));
        }
    }
    Ok(classes)
}

/// Which of these codes are of staff in service: not moved out, transferred by order, retired or left (D.10).
async fn active(
    conn: &mut PgConnection,
    school_code: &str,
    codes: &BTreeSet<&str>,
) -> Result<BTreeSet<String>, DbError> {
    let found: Vec<String> = sqlx::query_scalar(
        "select record_key from staff_record where school_code = $1 and record_key = any($2) and not withdrawn
           and coalesce(staff_status, '') <> all (array['3', '4', '6', '8'])",
    )
    .bind(school_code)
    .bind(codes.iter().copied().collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().collect())
}
