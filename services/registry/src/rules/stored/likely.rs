//! Records that are likely of one pupil: same name (accents apart), birth date, sex and a family that may be the same, here or at
//! another school. Two numbers tell two persons apart, so one of the two has none: the other cases are those of the personal
//! ID. Candidates come by birth date from an index; nobody's name leaves its school.
use super::{context::Context, family::Family};
use eduhub_changelog::{ColumnValue, RowChange, Table};
use eduhub_ingest::Mark;
use eduhub_pg::DbError;
use eduhub_proto::{common::v1::Kind, registry::v1::Pupil};
use eduhub_rules::{Rule, fold};
use prost::Message;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const RULE: Rule = Rule::LikelyDuplicate;

/// Name without accents, birth date and sex. The order of a name's words is left out: it is compared when the record is judged.
pub fn marks(table: &Table, row: &RowChange, add: &mut dyn FnMut(Mark)) {
    if table.kind != Kind::Pupil {
        return;
    }
    let value = |column| table.value_of(row, column);
    if let (Some(ColumnValue::Words(name)), Some(ColumnValue::Date(born)), Some(ColumnValue::Text(sex))) =
        (value("full_name_words"), value("birth_date"), value("sex"))
    {
        let born = born.to_julian_day().to_be_bytes();
        let numbered = table.blind_index_of(row).is_some();
        add(Mark::new(&[b"namesake", name.as_bytes(), &born, sex.as_bytes()], numbered));
    }
}

pub async fn judge(conn: &mut PgConnection, context: &mut Context) -> Result<(), DbError> {
    if !context.written.has(Kind::Pupil as i32) || !context.is_on(RULE) {
        return Ok(());
    }
    let open = context.open_keys(RULE, Kind::Pupil);
    let partners = if open.is_empty() { vec![] } else { partners(conn, context, &open).await? };
    context.look_at_open(RULE);
    for (school, key, _) in &partners {
        context.look(RULE, Kind::Pupil, school, key);
    }
    let more: Vec<Uuid> = partners.into_iter().map(|(.., id)| id).collect();
    let pairs = namesakes(conn, context, &open, &more).await?;
    if pairs.is_empty() {
        return Ok(());
    }
    let ids: BTreeSet<Uuid> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let people = people(conn, &ids).await?;
    for (a, b) in pairs {
        let (Some(a), Some(b)) = (people.get(&a), people.get(&b)) else { continue };
        if a.family.may_be(&b.family) {
            for one in [a, b] {
                context.find(
                    RULE,
                    Kind::Pupil,
                    (&one.school_code, &one.record_key),
                    "full_name",
                    String::new(),
                );
            }
        }
    }
    Ok(())
}

/// Pairs of the same folded name, birth date and sex, one of them at least without a number: those of the pupils that came, of
/// those with an open issue, and of `more`. Accents don't change the length of a name in NFC, so it is compared first.
async fn namesakes(
    conn: &mut PgConnection,
    context: &Context,
    open: &[String],
    more: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, DbError> {
    let of = |numbered: &str| {
        format!(
            "cross join lateral (select o.record_id, o.full_name from pupil_record o
               where o.birth_date = p.birth_date and o.sex = p.sex and o.personal_id_bidx {numbered}
                 and length(o.full_name) = length(p.full_name) and o.record_id <> p.record_id
                 and o.record_key <> p.record_key and not o.withdrawn offset 0) o"
        )
    };
    let sql = format!(
        "with p as materialized (
           select record_id, record_key, full_name, birth_date, sex, personal_id_bidx from {rows} came where not withdrawn
           union all
           select r.record_id, r.record_key, r.full_name, r.birth_date, r.sex, r.personal_id_bidx from unnest($4::uuid[]) as u(id)
             cross join lateral (select * from pupil_record where record_id = u.id and not withdrawn offset 0) r
         )
         select p.record_id, p.full_name, o.record_id, o.full_name from p {unnumbered}
         union all
         select p.record_id, p.full_name, o.record_id, o.full_name from p {numbered} where p.personal_id_bidx is null",
        rows = context.rows(Kind::Pupil, "pupil_record"),
        unnumbered = of("is null"),
        numbered = of("is not null"),
    );
    let rows: Vec<(Uuid, String, Uuid, String)> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(&context.written.school_code)
        .bind(context.xid)
        .bind(context.asked(Kind::Pupil, open))
        .bind(more)
        .fetch_all(conn)
        .await?;
    let same = rows.into_iter().filter(|(_, a, _, b)| fold(a) == fold(b));
    Ok(same.map(|(a, _, b, _)| (a, b)).collect())
}

struct Person {
    school_code: String,
    record_key: String,
    family: Family,
}

async fn people(conn: &mut PgConnection, ids: &BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, Person>, DbError> {
    let rows = sqlx::query(
        "select record_id, school_code, record_key, body from pupil_record where record_id = any($1)",
    )
    .bind(ids.iter().copied().collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let mut people = BTreeMap::new();
    for row in rows {
        let Ok(pupil) = Pupil::decode(row.try_get::<&[u8], _>(3)?) else { continue };
        let family = Family::of(pupil);
        let person = Person { school_code: row.try_get(1)?, record_key: row.try_get(2)?, family };
        people.insert(row.try_get(0)?, person);
    }
    Ok(people)
}

/// Pupils with an open issue of the same birth date and sex as those of `keys` had before this transaction, which may not be
/// their like any more: school, key, id.
async fn partners(
    conn: &mut PgConnection,
    context: &Context,
    keys: &[String],
) -> Result<Vec<(String, String, Uuid)>, DbError> {
    let rows = sqlx::query(
        "select before_body from change_log
         where xid = $2 and school_code = $1 and kind = 4 and record_key = any($3) and before_version is not null",
    )
    .bind(&context.written.school_code)
    .bind(context.xid)
    .bind(keys)
    .fetch_all(&mut *conn)
    .await?;
    let (mut dates, mut sexes) = (vec![], vec![]);
    for row in rows {
        let before = Pupil::decode(row.try_get::<&[u8], _>(0)?).unwrap_or_default();
        if let Some(born) = date(&before.birth_date) {
            dates.push(born);
            sexes.push(before.sex);
        }
    }
    if dates.is_empty() {
        return Ok(vec![]);
    }
    Ok(sqlx::query_as(
        "select p.school_code, p.record_key, p.record_id
         from (select distinct birth_date, sex from unnest($1::date[], $2::text[]) as b(birth_date, sex)) b
         cross join lateral (
           select * from pupil_record where birth_date = b.birth_date and sex = b.sex and personal_id_bidx is null
           union all
           select * from pupil_record where birth_date = b.birth_date and sex = b.sex and personal_id_bidx is not null) p
         where not p.withdrawn and exists (
           select 1 from data_issue d where d.school_code = p.school_code and d.kind = 4 and d.record_key = p.record_key
             and d.reason = 58 and d.closed_at is null)",
    )
    .bind(dates)
    .bind(sexes)
    .fetch_all(conn)
    .await?)
}

fn date(text: &str) -> Option<time::Date> {
    time::Date::parse(text, &time::format_description::well_known::Iso8601::DATE).ok()
}
