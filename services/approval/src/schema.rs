//! The service's own schema.
use eduhub_pg::{MigrationFile, Migrator, migrator};
use std::sync::LazyLock;

const FILES: &[MigrationFile] = &[
    (1, "routes", include_str!("../migrations/0001_routes.sql")),
    (2, "submissions", include_str!("../migrations/0002_submissions.sql")),
];

/// Migrations, in order.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator(FILES));
