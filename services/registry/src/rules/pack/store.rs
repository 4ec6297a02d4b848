//! SQL of packs.
use super::model::{Pack, Setting};
use eduhub_pg::DbError;
use eduhub_rules::Strength;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// Who published a pack, and when.
#[derive(Debug, Clone)]
pub struct Published {
    /// The pack.
    pub pack: Pack,
    /// What it is for.
    pub note: String,
    /// When.
    pub at: OffsetDateTime,
    /// By whom.
    pub by: String,
}

/// All packs, the newest first.
pub async fn packs(conn: &mut PgConnection) -> Result<Vec<Published>, DbError> {
    let mut settings: BTreeMap<String, Vec<Setting>> = BTreeMap::new();
    let rows =
        sqlx::query("select version, rule, severity, valid_from, valid_to from rule_pack_rule order by 1, 2")
            .fetch_all(&mut *conn)
            .await?;
    for row in rows {
        let setting = Setting {
            rule: row.try_get(1)?,
            strength: Strength::parse(row.try_get(2)?).unwrap_or(Strength::Off),
            valid_from: row.try_get(3)?,
            valid_to: row.try_get(4)?,
        };
        settings.entry(row.try_get(0)?).or_default().push(setting);
    }
    let rows = sqlx::query(
        "select version, first_school_year, valid_from, note, published_at, published_by from rule_pack
         order by valid_from desc, version desc",
    )
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let version: String = row.try_get(0)?;
            let settings = settings.remove(&version).unwrap_or_default();
            let pack =
                Pack { version, first_school_year: row.try_get(1)?, valid_from: row.try_get(2)?, settings };
            Ok(Published { pack, note: row.try_get(3)?, at: row.try_get(4)?, by: row.try_get(5)? })
        })
        .collect()
}

/// Stores a pack; false when its version is there already.
pub async fn publish(conn: &mut PgConnection, pack: &Pack, note: &str, by: &str) -> Result<bool, DbError> {
    let done = sqlx::query(
        "insert into rule_pack (version, first_school_year, valid_from, note, published_by) values ($1, $2, $3, $4, $5)
         on conflict (version) do nothing",
    )
    .bind(&pack.version)
    .bind(pack.first_school_year)
    .bind(pack.valid_from)
    .bind(note)
    .bind(by)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "insert into rule_pack_rule (version, rule, severity, valid_from, valid_to)
         select $1, * from unnest($2::text[], $3::text[], $4::date[], $5::date[])",
    )
    .bind(&pack.version)
    .bind(pack.settings.iter().map(|s| s.rule.as_str()).collect::<Vec<_>>())
    .bind(pack.settings.iter().map(|s| s.strength.word()).collect::<Vec<_>>())
    .bind(pack.settings.iter().map(|s| s.valid_from).collect::<Vec<_>>())
    .bind(pack.settings.iter().map(|s| s.valid_to).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(true)
}
