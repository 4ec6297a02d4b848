//! Facility's own schema.
use eduhub_pg::{MigrationFile, Migrator, migrator};
use std::sync::LazyLock;

const FILES: &[MigrationFile] = &[
    (1, "change_log", include_str!("../migrations/0001_change_log.sql")),
    (2, "records", include_str!("../migrations/0002_records.sql")),
    (3, "feed_subscriptions", include_str!("../migrations/0003_feed_subscriptions.sql")),
    (4, "change_log_positions", include_str!("../migrations/0004_change_log_positions.sql")),
    (8, "issue_key", include_str!("../migrations/0008_issue_key.sql")),
    (9, "push_marks", include_str!("../migrations/0009_push_marks.sql")),
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
        let registry = include_str!("../../registry/migrations/0006_change_log_positions.sql");
        let ours = include_str!("../migrations/0004_change_log_positions.sql");
        assert!(ours == registry, "change_log_positions.sql differs between facility and registry");
        let registry = include_str!("../../registry/migrations/0010_issue_key.sql");
        let ours = include_str!("../migrations/0008_issue_key.sql");
        assert!(ours == registry, "issue_key.sql differs between facility and registry");
        let registry =
            include_str!("../../registry/migrations/0012_push_marks.sql").replace("binary: 11", "binary: 8");
        assert!(FILES[5].2 == registry, "push_marks.sql differs between facility and registry");
        let registry = include_str!("../../registry/migrations/0005_feed_subscriptions.sql");
        assert!(FILES[2].2 == registry, "feed_subscriptions.sql differs between facility and registry");
    }
}
