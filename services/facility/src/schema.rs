//! Facility's own schema.
use eduhub_pg::{MigrationFile, Migrator, migrator};
use std::sync::LazyLock;

const FILES: &[MigrationFile] = &[
    (1, "change_log", include_str!("../migrations/0001_change_log.sql")),
    (2, "records", include_str!("../migrations/0002_records.sql")),
];

/// Migrations, in order.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator(FILES));

#[cfg(test)]
mod tests {
    use super::*;

    /// The platform crates work on these tables in both services.
    #[test]
    fn the_change_log_is_registrys_byte_by_byte() {
        let registry = include_str!("../../registry/migrations/0001_change_log.sql");
        assert!(FILES[0].2 == registry, "0001_change_log.sql differs between facility and registry");
    }
}
