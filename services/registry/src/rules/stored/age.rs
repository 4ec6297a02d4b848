//! Age against grade (domain.md C.4): grade + 5 years, three more or less, in the calendar year in which the school year begins;
//! in preschool the age of the group (D.4). Centres of continuing education teach adults too.
use super::context::{Context, IN_CLASS};
use eduhub_pg::DbError;
use eduhub_proto::common::v1::Kind;
use eduhub_rules::Rule;
use sqlx::{AssertSqlSafe, PgConnection};

const RULE: Rule = Rule::AgeForGrade;

/// Years more or less.
const SPAN: i32 = 3;

/// Age that most learners of a grade reach in the year in which the school year begins; none for no grade.
fn age_of(grade: &str) -> Option<i32> {
    match grade.parse().ok()? {
        grade @ 1..=12 => Some(grade + 5),
        grade @ 13..=18 => Some(grade - 13),
        _ => None,
    }
}

pub async fn judge(conn: &mut PgConnection, context: &mut Context) -> Result<(), DbError> {
    let pupils_changed = context.written.changed.contains(&(Kind::Pupil as i32));
    let concerned = context.written.has(Kind::Enrolment as i32) || pupils_changed;
    if !concerned || !context.is_on(RULE) {
        return Ok(());
    }
    context.look_at_open(RULE);
    let open = context.open_keys(RULE, Kind::Enrolment);
    let school = context.written.school_code.clone();
    // What is so by far is left to the program, which knows the grades.
    let sql = format!(
        "with e as (
           select * from {enrolments} came
           union all
           select o.* from {pupils} p cross join lateral (
             select * from enrolment_record where student_code = p.record_key and school_code || '' = $1 offset 0) o
           where $4 and p.before
         )
         select distinct e.record_key, e.grade, e.school_year - extract(year from p.birth_date)::int,
           (select s.level = 5 from school s where s.school_code = $1)
         from e cross join lateral (
           select * from pupil_record where school_code = e.school_code and record_key = e.student_code offset 0) p
         where not e.withdrawn and e.student_status in {IN_CLASS} and not p.withdrawn and p.birth_date is not null
           and e.grade is not null and e.school_year - extract(year from p.birth_date)::int not between
             case when e.grade in ('13', '14', '15', '16', '17', '18') then right(e.grade, 1)::int - 3 else e.grade::int + 5 end - {SPAN}
             and case when e.grade in ('13', '14', '15', '16', '17', '18') then right(e.grade, 1)::int - 3 else e.grade::int + 5 end + {SPAN}",
        enrolments = context.rows(Kind::Enrolment, "enrolment_record"),
        pupils = context.touched(Kind::Pupil, "pupil_record"),
    );
    let rows: Vec<(String, String, i32, Option<bool>)> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(&school)
        .bind(context.xid)
        .bind(open)
        .bind(pupils_changed)
        .fetch_all(conn)
        .await?;
    for (key, grade, age, continuing) in rows {
        let Some(usual) = age_of(&grade) else { continue };
        let odd = if continuing == Some(true) { age < usual - SPAN } else { (age - usual).abs() > SPAN };
        if odd {
            context.find(RULE, Kind::Enrolment, (&school, &key), "grade", grade);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand from C.4 and D.4: grade 1 at 6, grade 12 at 17; 5-6 years is grade 18, nursery 13-24 months grade 14.
    #[test]
    fn ages() {
        assert_eq!(
            ["1", "12", "18", "16", "14", "19", ""].map(age_of),
            [Some(6), Some(17), Some(5), Some(3), Some(1), None, None]
        );
    }
}
