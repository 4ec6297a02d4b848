//! SQL of transfers.
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};
use time::Date;
use uuid::Uuid;

/// A transfer as its events say.
#[derive(Debug, Clone)]
pub struct TransferRow {
    /// Enrolment that the list goes by.
    pub record_id: Uuid,
    /// Pupil.
    pub student_code: String,
    /// Grade there.
    pub grade: String,
    /// School that is left.
    pub from_school: Option<String>,
    /// School that is entered.
    pub to_school: Option<String>,
    /// Day of the move out.
    pub moved_out_on: Option<Date>,
    /// Day of the move in.
    pub moved_in_on: Option<Date>,
    /// True when both schools are of this hub, as far as they are named.
    pub inside: bool,
}

impl TransferRow {
    fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            record_id: row.try_get(0)?,
            student_code: row.try_get(1)?,
            grade: row.try_get(2)?,
            from_school: row.try_get(3)?,
            to_school: row.try_get(4)?,
            moved_out_on: row.try_get(5)?,
            moved_in_on: row.try_get(6)?,
            inside: row.try_get(7)?,
        })
    }
}

/// Which transfers.
pub struct Asked<'a> {
    /// School.
    pub school_code: &'a str,
    /// School year of the event that the list goes by; the other one may fall into the next.
    pub school_year: i32,
    /// 1 open, 2 matched, 3 outside; 0 for any.
    pub state: i32,
    /// Enrolment after which the page begins.
    pub after: Uuid,
    /// Most rows.
    pub limit: i64,
}

/// Codes that the pupil of `e` has, there and, by the personal ID, at other schools. A summer move in may be of the next year.
const SAME_PUPIL: &str = "o.student_code = any(array(
     select e.student_code union
     select q.record_key from pupil_record p join pupil_record q on q.personal_id_bidx = p.personal_id_bidx
     where p.school_code = e.school_code and p.record_key = e.student_code))
   and not o.withdrawn";

/// Rows of the index `enrolment_record_moved`, word for word.
const MOVED: &str = "(e.student_status in ('02', '04', '06', '08', '10', '11') or e.from_school is not null)";
const OUT: &str = "('04', '08', '11')";
const IN: &str = "('02', '06', '10')";

/// Moves out `e` with the move in `i` that answers each, on a condition.
fn moves_out(condition: &str) -> String {
    format!(
        "select e.record_id, e.student_code, e.grade, e.school_code as from_school, coalesce(e.to_school, i.school_code) as to_school,
           e.status_on as moved_out_on, i.status_on as moved_in_on,
           e.to_school is null or exists (select 1 from school s where s.school_code = e.to_school) as inside
         from enrolment_record e left join lateral (
           select o.school_code, o.status_on from enrolment_record o
           where {SAME_PUPIL} and o.school_year between e.school_year and e.school_year + 1
             and o.school_code <> e.school_code
             and case when e.to_school is null then o.from_school = e.school_code
                 else o.school_code || '' = e.to_school and (o.from_school = e.school_code or o.student_status in {IN}) end
           order by o.record_id limit 1) i on true
         where {condition} and e.student_status in {OUT} and not e.withdrawn"
    )
}

/// Moves in `e` to the school that no move out to it answers, with one that names no school.
fn moves_in() -> String {
    format!(
        "select e.record_id, e.student_code, e.grade, e.from_school, e.school_code, x.status_on, e.status_on,
           e.from_school is null or exists (select 1 from school s where s.school_code = e.from_school)
         from enrolment_record e left join lateral (
           select o.status_on, o.to_school from enrolment_record o
           where {SAME_PUPIL} and o.school_year between e.school_year - 1 and e.school_year and o.student_status in {OUT}
             and o.school_code <> e.school_code
             and (o.to_school = e.school_code or (o.to_school is null and o.school_code = e.from_school))
           order by o.to_school nulls last, o.record_id limit 1) x on true
         where e.school_code = $1 and e.school_year = $2 and {MOVED} and e.student_status not in {OUT} and not e.withdrawn
           and x.to_school is null"
    )
}

async fn page(conn: &mut PgConnection, of: &str, asked: &Asked<'_>) -> Result<Vec<TransferRow>, DbError> {
    let sql = format!(
        "select * from ({of}) t where record_id > $3 and ($4 = 0 or $4 =
           case when moved_out_on is not null and moved_in_on is not null then 2 when inside then 1 else 3 end)
         order by record_id limit $5"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(asked.school_code)
        .bind(asked.school_year)
        .bind(asked.after)
        .bind(asked.state)
        .bind(asked.limit)
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(TransferRow::read).collect::<Result<_, _>>()?)
}

/// Pupils who moved out of the school.
pub async fn outgoing(conn: &mut PgConnection, asked: &Asked<'_>) -> Result<Vec<TransferRow>, DbError> {
    page(conn, &moves_out(&format!("e.school_code = $1 and e.school_year = $2 and {MOVED}")), asked).await
}

/// Pupils whom other schools sent to the school, and those who came though nobody sent them.
pub async fn incoming(conn: &mut PgConnection, asked: &Asked<'_>) -> Result<Vec<TransferRow>, DbError> {
    let sent = moves_out("e.to_school = $1 and e.school_year = $2");
    page(conn, &format!("{sent} union all {}", moves_in()), asked).await
}
