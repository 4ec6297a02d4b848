//! Start-up values, written after the migrations. A list that the Department has imported is its own from then on.
use super::{
    model::{Entries, Entry, Plan},
    store::{self, Maker},
};
use crate::admin_unit;
use eduhub_pg::{DbError, PgPool, in_tx};
use sqlx::PgConnection;
use std::{collections::BTreeMap, time::Duration};
use time::{Date, format_description::well_known::Iso8601};

const CODES: &str = include_str!("../../seed/code_lists.tsv");
/// Who made the versions that come with the hub.
pub const HUB: &str = "eduhub";

/// Writes the seed values that are not there yet; entries that are there stay as they are, but for the lists of
/// administrative units, which are the hub's own.
pub async fn seed(pool: &PgPool) -> Result<(), SeedError> {
    let units = admin_unit::Seed::read()?;
    let mut lists = code_lists()?;
    lists.extend(units.lists());
    in_tx(pool, Duration::from_secs(60), move |conn| {
        Box::pin(async move {
            store::lock_version(conn).await?;
            admin_unit::store::seed(conn, &units).await?;
            write(conn, &lists).await
        })
    })
    .await?;
    Ok(())
}

/// Why the seed could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// A seed file is malformed.
    #[error("seed file: {0}")]
    File(#[from] csv::Error),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// All lists that changed as one version.
async fn write(conn: &mut PgConnection, lists: &BTreeMap<String, Entries>) -> Result<(), DbError> {
    let mut plans = Vec::new();
    for (list, entries) in lists {
        if store::is_imported(conn, list, HUB).await? {
            continue;
        }
        let current = store::entries(conn, list).await?;
        let plan = plan(&current, entries, super::model::UNIT_LISTS.contains(&list.as_str()));
        if !plan.written.is_empty() {
            plans.push((list, plan));
        }
    }
    if plans.is_empty() {
        return Ok(());
    }
    let version = store::next_version(conn).await?;
    for (list, plan) in &plans {
        store::write(conn, list, version, plan, &Maker { by: HUB, note: "comes with the hub" }).await?;
    }
    Ok(())
}

fn plan(current: &Entries, seed: &Entries, own: bool) -> Plan {
    let mut plan = Plan { after: current.clone(), ..Plan::default() };
    for (code, entry) in seed {
        match current.get(code) {
            None => plan.added += 1,
            Some(other) if own && other != entry => plan.changed += 1,
            Some(_) => continue,
        }
        plan.written.insert(code.clone(), entry.clone());
    }
    plan.after.extend(plan.written.clone());
    plan
}

/// The code lists of the seed file.
fn code_lists() -> Result<BTreeMap<String, Entries>, csv::Error> {
    let mut lists: BTreeMap<String, Entries> = BTreeMap::new();
    let date = |text: Option<&String>| Date::parse(text.map_or("", String::as_str), &Iso8601::DATE).ok();
    for row in rows(CODES)? {
        let [list, code, name, ..] = row.as_slice() else { continue };
        let entry = Entry { name: name.clone(), from: date(row.get(3)), to: date(row.get(4)) };
        lists.entry(list.clone()).or_default().insert(code.clone(), entry);
    }
    Ok(lists)
}

/// Rows of a seed file without its header.
pub(crate) fn rows(tsv: &str) -> Result<Vec<Vec<String>>, csv::Error> {
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').quoting(false).from_reader(tsv.as_bytes());
    reader.records().map(|r| Ok(r?.iter().map(str::to_owned).collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::{NESTED_FIELDS, RECORDS};

    #[test]
    fn every_code_list_of_the_dictionary_is_seeded() {
        let mut lists = code_lists().unwrap();
        lists.extend(admin_unit::Seed::read().unwrap().lists());
        let nested = NESTED_FIELDS.iter().flat_map(|f| f.iter());
        for field in RECORDS.iter().flat_map(|r| r.fields).chain(nested).filter(|f| !f.code_list.is_empty()) {
            assert!(lists.contains_key(field.code_list), "{}", field.code_list);
        }
    }

    #[test]
    fn what_is_there_stays_but_for_the_hubs_own_lists() {
        let entry = |name: &str| Entry { name: name.into(), from: None, to: None };
        let current = Entries::from([("01".to_owned(), entry("tên của Sở"))]);
        let seed = Entries::from([("01".to_owned(), entry("tên cũ")), ("02".to_owned(), entry("mới"))]);
        let added: Vec<_> = plan(&current, &seed, false).written.into_keys().collect();
        assert_eq!(added, ["02"]);
        assert_eq!(plan(&current, &seed, true).written.len(), 2);
    }
}
