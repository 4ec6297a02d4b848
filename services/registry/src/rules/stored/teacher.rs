//! Homeroom teacher who is not on the staff, or not in service (domain.md C.3, D.10). A school whose software has not sent any
//! staff (its grant may not hold that domain) is not judged. All classes of the year are looked at, if it is the school's last:
//! a school has few, staff rarely change, and who taught in an earlier year may have left since.
use super::context::Context;
use eduhub_pg::DbError;
use eduhub_proto::common::v1::Kind;
use eduhub_rules::Rule;
use sqlx::PgConnection;

const RULE: Rule = Rule::HomeroomTeacher;

pub async fn judge(conn: &mut PgConnection, context: &mut Context) -> Result<(), DbError> {
    let concerned = context.written.has(Kind::Class as i32) || context.written.has(Kind::Staff as i32);
    // Who only tries a batch may have sent the teacher in the one before.
    if !concerned || !context.written.complete || !context.is_on(RULE) {
        return Ok(());
    }
    context.look_at_open(RULE);
    let school = context.written.school_code.clone();
    let rows: Vec<(String, String)> = sqlx::query_as(
        // Moved out, transferred by order, retired, left (D.10).
        "select k.record_key, k.homeroom_teacher_code from class_record k
         left join staff_record s on s.school_code = $1 and s.record_key = k.homeroom_teacher_code and not s.withdrawn
         where k.school_code = $1 and k.record_key >= $2 || '/' and k.record_key < $2 || '0' and not k.withdrawn
           and k.homeroom_teacher_code is not null and k.disbanded is not true
           and (s.record_id is null or s.staff_status in ('3', '4', '6', '8'))
           and exists (select 1 from staff_record a where a.school_code = $1 and not a.withdrawn)
           and not exists (select 1 from class_record n where n.school_code = $1 and n.record_key >= $3 and not n.withdrawn)",
    )
    .bind(&school)
    .bind(context.written.school_year.to_string())
    .bind((context.written.school_year + 1).to_string())
    .fetch_all(conn)
    .await?;
    for (key, teacher) in rows {
        context.find(RULE, Kind::Class, (&school, &key), "homeroom_teacher_code", teacher);
    }
    Ok(())
}
