//! Migrations lock nobody out: what each may do to tables that are full and in use (decision 0018, `rules.rs`).
//!
//! A statement that breaks a rule on purpose says so in the comment before it: `-- lint-allow RULE: why it is safe`.
mod rules;
mod statements;

use crate::api::none;
use crate::migrations::services;
use rules::findings;

/// Newest migration of each service before the first release: nothing was deployed that these could lock out.
const BEFORE_FIRST_RELEASE: [(&str, i64); 5] =
    [("identity", 2), ("registry", 11), ("facility", 8), ("approval", 2), ("ministry-bridge", 1)];

fn is_deployed(service: &str, version: i64) -> bool {
    BEFORE_FIRST_RELEASE.iter().any(|(name, last)| *name == service && version <= *last)
}

#[test]
fn no_migration_of_a_deployed_service_locks_it_out() {
    let mut gaps = Vec::new();
    let mut read = 0;
    for (service, migrator) in services() {
        let mut earlier = Vec::new();
        for migration in migrator.iter() {
            let sql = migration.sql.as_str();
            read += statements::of(sql).len();
            if !is_deployed(service, migration.version) {
                let found = findings(sql, &earlier);
                gaps.extend(found.iter().map(|f| format!("{service} {:04}: {f}", migration.version)));
            }
            earlier.extend(statements::of(sql));
        }
    }
    assert!(read > 100, "only {read} statements were read");
    none("migrations that lock out those who use the tables", &gaps);
}

/// Which binaries run on (decision 0018): each migration after the first release says so, and names one that exists.
#[test]
fn every_migration_of_a_deployed_service_says_which_binaries_run_on() {
    let mut gaps = Vec::new();
    for (service, migrator) in services() {
        let known: Vec<i64> = migrator.iter().map(|m| m.version).collect();
        for migration in migrator.iter().filter(|m| !is_deployed(service, m.version)) {
            let place = format!("{service} {:04}", migration.version);
            match eduhub_pg::oldest_binary(migration.sql.as_str()) {
                None => gaps.push(format!("{place}: no line `-- oldest-binary: N`")),
                Some(oldest) if oldest > migration.version || !known.contains(&oldest) => {
                    gaps.push(format!("{place}: names migration {oldest}, which no binary before it knows"));
                }
                Some(_) => {}
            }
        }
    }
    none("migrations that do not say which binaries run on", &gaps);
}

/// A lint that finds nothing may be one that sees nothing: the migrations before the first release break its rules.
#[test]
fn the_lint_sees_what_the_first_migrations_do() {
    let names = include_str!("../../../../services/registry/migrations/0009_name_search.sql");
    let key = include_str!("../../../../services/registry/migrations/0010_issue_key.sql");
    let found: Vec<&str> = findings(names, &[]).iter().chain(&findings(key, &[])).map(|f| f.rule).collect();
    for rule in ["index-blocks-writers", "rewrites-rows", "sets-lock-timeout", "constraint-scans"] {
        assert!(found.contains(&rule), "{rule}: {found:?}");
    }
}

/// scripts/check has squawk read the same migrations.
#[test]
fn the_second_opinion_is_asked_about_the_same_migrations() {
    let script = include_str!("../../../../scripts/lib/squawk.sh");
    let lines: Vec<String> =
        BEFORE_FIRST_RELEASE.iter().map(|(service, last)| format!("{service} {last}")).collect();
    let gaps: Vec<String> =
        lines.iter().filter(|line| !script.lines().any(|l| l == *line)).cloned().collect();
    none("scripts/lib/squawk.sh lacks", &gaps);
}
