//! Status of an enrolment after another that it can't follow (domain.md C.9).
use super::context::Context;
use eduhub_pg::DbError;
use eduhub_proto::{common::v1::Kind, registry::v1::Enrolment};
use eduhub_rules::{Rule, cross::may_follow};
use prost::Message;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

const RULE: Rule = Rule::StatusChange;

/// Between the statuses of a finding's value.
const TO: &str = " > ";

pub async fn judge(conn: &mut PgConnection, context: &mut Context) -> Result<(), DbError> {
    if !context.written.changed.contains(&(Kind::Enrolment as i32)) || !context.is_on(RULE) {
        return Ok(());
    }
    let school = context.written.school_code.clone();
    for (key, (before, after)) in changes(conn, context).await? {
        // From the last status that was in order: a slip is mended by going back to it.
        let open = context.open_value(RULE, Kind::Enrolment, &key).and_then(|value| value.split_once(TO));
        let from = open.map_or(before, |(from, _)| from.to_owned());
        context.look(RULE, Kind::Enrolment, &school, &key);
        if !may_follow(&from, &after) {
            let value = format!("{from}{TO}{after}");
            context.find(RULE, Kind::Enrolment, (&school, &key), "student_status", value);
        }
    }
    Ok(())
}

/// Status before this transaction and after it of each enrolment that it changed.
async fn changes(
    conn: &mut PgConnection,
    context: &Context,
) -> Result<BTreeMap<String, (String, String)>, DbError> {
    let rows = sqlx::query(
        "select l.record_key, l.before_body, e.student_status
         from change_log l cross join lateral (select * from enrolment_record where record_id = l.record_id offset 0) e
         where l.xid = $2 and l.school_code = $1 and l.kind = 6 and l.before_version is not null and not l.before_withdrawn
           and not e.withdrawn
         order by l.seq",
    )
    .bind(&context.written.school_code)
    .bind(context.xid)
    .fetch_all(conn)
    .await?;
    let mut changes = BTreeMap::new();
    for row in rows {
        let (Ok(before), Some(after)) =
            (Enrolment::decode(row.try_get::<&[u8], _>(1)?), row.try_get::<Option<String>, _>(2)?)
        else {
            continue;
        };
        changes.entry(row.try_get(0)?).or_insert((before.student_status, after));
    }
    Ok(changes)
}
