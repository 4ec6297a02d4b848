//! Migrations embedded one by one: sqlx's `migrate!` would bring its `macros` feature, and with it a second build of the
//! whole driver.
use crate::Migrator;
use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType},
};
use std::borrow::Cow;

/// A migration file: version, name, text.
pub type MigrationFile = (i64, &'static str, &'static str);

/// First line of a migration that can't run in a transaction (`create index concurrently`): it is one statement, and may be
/// run again.
const NO_TRANSACTION: &str = "-- no-transaction";

/// A migrator over embedded files, in the order of their versions.
pub fn migrator(files: &[MigrationFile]) -> Migrator {
    let migration = |(version, name, sql): &MigrationFile| {
        let (ty, name, text) = (MigrationType::Simple, Cow::Borrowed(*name), (*sql).into_sql_str());
        Migration::new(*version, name, ty, text, sql.starts_with(NO_TRANSACTION))
    };
    Migrator::with_migrations(files.iter().map(migration).collect())
}
