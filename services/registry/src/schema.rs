//! Registry's own schema.
use eduhub_pg::{MigrationFile, Migrator, migrator};
use std::sync::LazyLock;

const FILES: &[MigrationFile] = &[
    (1, "change_log", include_str!("../migrations/0001_change_log.sql")),
    (2, "records", include_str!("../migrations/0002_records.sql")),
    (3, "schools", include_str!("../migrations/0003_schools.sql")),
];

/// Migrations, in order.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator(FILES));
