//! Start-up values, written after the migrations when they are not there yet.
use super::store;
use eduhub_pg::{DbError, PgPool, in_tx};
use std::time::Duration;

const CODES: &str = include_str!("../../seed/code_lists.tsv");
const UNITS: &str = include_str!("../../seed/admin_units_2025.tsv");

/// Writes the seed values; values that are there already stay as they are.
pub async fn seed(pool: &PgPool) -> Result<(), SeedError> {
    let codes = rows(CODES)?;
    let units = rows(UNITS)?;
    in_tx(pool, Duration::from_secs(30), move |conn| {
        Box::pin(async move {
            store::seed_codes(conn, &codes).await?;
            store::seed_units(conn, &units).await
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

fn rows(tsv: &str) -> Result<Vec<Vec<String>>, csv::Error> {
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').quoting(false).from_reader(tsv.as_bytes());
    reader.records().map(|r| Ok(r?.iter().map(str::to_owned).collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::{NESTED_FIELDS, RECORDS};
    use std::collections::HashSet;

    #[test]
    fn the_seed_has_the_published_numbers_of_units() {
        // QĐ 19/2025: 34 provinces, 3,321 units; Ninh Bình has 129.
        let units = rows(UNITS).unwrap();
        assert_eq!(units.len(), 3_321);
        assert_eq!(units.iter().map(|u| &u[0]).collect::<HashSet<_>>().len(), 34);
        assert_eq!(units.iter().filter(|u| u[0] == "37").count(), 129);
    }

    #[test]
    fn every_code_list_of_the_dictionary_is_seeded() {
        let codes = rows(CODES).unwrap();
        let lists: HashSet<&str> = codes.iter().map(|c| c[0].as_str()).chain(["DM_TINH", "DM_XA"]).collect();
        let nested = NESTED_FIELDS.iter().flat_map(|f| f.iter());
        for field in RECORDS.iter().flat_map(|r| r.fields).chain(nested).filter(|f| !f.code_list.is_empty()) {
            assert!(lists.contains(field.code_list), "{}", field.code_list);
        }
    }
}
