//! Registry's own schema.
use eduhub_pg::{MigrationFile, Migrator, migrator};
use std::sync::LazyLock;

const FILES: &[MigrationFile] = &[
    (1, "change_log", include_str!("../migrations/0001_change_log.sql")),
    (2, "records", include_str!("../migrations/0002_records.sql")),
    (3, "schools", include_str!("../migrations/0003_schools.sql")),
    (4, "dictionary", include_str!("../migrations/0004_dictionary.sql")),
    (5, "feed_subscriptions", include_str!("../migrations/0005_feed_subscriptions.sql")),
    (6, "change_log_positions", include_str!("../migrations/0006_change_log_positions.sql")),
    (7, "code_list_versions", include_str!("../migrations/0007_code_list_versions.sql")),
    (8, "rules", include_str!("../migrations/0008_rules.sql")),
    (9, "name_search", include_str!("../migrations/0009_name_search.sql")),
    (10, "issue_key", include_str!("../migrations/0010_issue_key.sql")),
    (11, "rules_of_2026_2", include_str!("../migrations/0011_rules_of_2026_2.sql")),
    (12, "push_marks", include_str!("../migrations/0012_push_marks.sql")),
];

/// Migrations, in order.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| migrator(FILES));
