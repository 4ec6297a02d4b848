//! Conduct of a year against that of its terms (TT 22 Art 8.2; domain.md B.3): who changes one of the three records has the year judged.
//! A pupil with a term elsewhere is not judged: that record is another school's.
use super::context::Context;
use eduhub_pg::DbError;
use eduhub_proto::common::v1::Kind;
use eduhub_rules::{
    Rule,
    cross::{Learning, year_conduct},
};
use prost::Message;
use sqlx::{AssertSqlSafe, PgConnection, Row};

const RULE: Rule = Rule::YearConduct;

/// Of a result only what is judged: the list of scores is most of it.
#[derive(Clone, PartialEq, Message)]
struct Conduct {
    #[prost(string, optional, tag = "5")]
    conduct: Option<String>,
}

pub async fn judge(conn: &mut PgConnection, context: &mut Context) -> Result<(), DbError> {
    if !context.written.has(Kind::TermResult as i32) || !context.is_on(RULE) {
        return Ok(());
    }
    context.look_at_open(RULE);
    let open = context.open_keys(RULE, Kind::TermResult);
    if open.is_empty() && !has_year_results(conn, context).await? {
        return Ok(());
    }
    let school = context.written.school_code.clone();
    let of_term = |term: u8, name: &str| {
        format!(
            "cross join lateral (select record_key, body from term_result_record
               where school_code = $1 and record_key = t.year || '/{term}/' || t.pupil and not withdrawn offset 0) {name}"
        )
    };
    // Keys are year, term, pupil.
    let sql = format!(
        "with t as (
           select left(record_key, 4) as year, substr(record_key, 8) as pupil from {touched} t
           union select left(key, 4), substr(key, 8) from unnest($3::text[]) as key
         )
         select whole.record_key, whole.body, first.body, second.body from t {whole} {first} {second}",
        touched = context.touched(Kind::TermResult, "term_result_record"),
        whole = of_term(3, "whole"),
        first = of_term(1, "first"),
        second = of_term(2, "second"),
    );
    let rows =
        sqlx::query(AssertSqlSafe(sql)).bind(&school).bind(context.xid).bind(open).fetch_all(conn).await?;
    for row in rows {
        let rating = |at: usize| -> Result<Option<Learning>, sqlx::Error> {
            let record = Conduct::decode(row.try_get::<&[u8], _>(at)?).unwrap_or_default();
            Ok(record.conduct.as_deref().and_then(Learning::of_code))
        };
        let (Some(said), Some(first), Some(second)) = (rating(1)?, rating(2)?, rating(3)?) else { continue };
        let given = year_conduct(first, second);
        if said != given {
            let at: (&str, &str) = (&school, row.try_get(0)?);
            context.expecting(RULE, Kind::TermResult, at, "conduct", String::new(), &[given.code()]);
        }
    }
    Ok(())
}

/// True when the school has a result of a whole year among those of the year that came: until the year ends there is nothing to
/// judge.
async fn has_year_results(conn: &mut PgConnection, context: &Context) -> Result<bool, DbError> {
    let sql = format!(
        "select coalesce(bool_or(exists (select 1 from term_result_record r
           where r.school_code = $1 and r.record_key >= years.year || '/3/' and r.record_key < years.year || '/30')), false)
         from (select distinct left(record_key, 4) as year from {} t) years",
        context.touched(Kind::TermResult, "term_result_record")
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(&context.written.school_code)
        .bind(context.xid)
        .fetch_one(conn)
        .await?)
}
