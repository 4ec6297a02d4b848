//! The service's own schema.
use eduhub_pg::{MigrationFile, Migrator, migrator};
use std::sync::LazyLock;

const FILES: &[MigrationFile] = &[
    (1, "identity", include_str!("../migrations/0001_identity.sql")),
    (2, "domain_owners", include_str!("../migrations/0002_domain_owners.sql")),
];

/// Migrations, in order.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator(FILES));
