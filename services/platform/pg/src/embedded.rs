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

/// A migrator over embedded files, in the order of their versions.
pub fn migrator(files: &[MigrationFile]) -> Migrator {
    let migration = |(version, name, sql): &MigrationFile| {
        Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, (*sql).into_sql_str(), false)
    };
    Migrator::with_migrations(files.iter().map(migration).collect())
}
