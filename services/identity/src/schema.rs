//! The service's own schema. The files are embedded one by one: sqlx's `migrate!` would bring its `macros` feature, and
//! with it a second build of the whole driver.
use eduhub_pg::Migrator;
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType};
use std::borrow::Cow;
use std::sync::LazyLock;

const FILES: &[(i64, &str, &str)] = &[(1, "identity", include_str!("../migrations/0001_identity.sql"))];

/// Migrations, in order.
pub static MIGRATOR: LazyLock<Migrator> =
    LazyLock::new(|| Migrator::with_migrations(FILES.iter().map(migration).collect()));

fn migration((version, name, sql): &(i64, &'static str, &'static str)) -> Migration {
    Migration::new(*version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_file_is_embedded() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut found: Vec<String> =
            std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        found.sort();
        let embedded: Vec<String> =
            FILES.iter().map(|(version, name, _)| format!("{version:04}_{name}.sql")).collect();
        assert_eq!(found, embedded);
    }
}
