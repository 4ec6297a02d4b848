//! Migrations: what lies in a service's folder is what its binary carries.
use eduhub_pg::Migrator;
use std::path::Path;

/// The services with their embedded migrations.
pub fn services() -> [(&'static str, &'static Migrator); 5] {
    [
        ("identity", &eduhub_identity::schema::MIGRATOR),
        ("registry", &eduhub_registry::schema::MIGRATOR),
        ("facility", &eduhub_facility::schema::MIGRATOR),
        ("approval", &eduhub_approval::schema::MIGRATOR),
        ("ministry-bridge", &eduhub_ministry_bridge::schema::MIGRATOR),
    ]
}

/// They are embedded one by one, so one may be forgotten.
#[test]
fn every_migration_file_is_embedded() {
    for (service, migrator) in services() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services").join(service).join("migrations");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
        files.sort_by_key(std::fs::DirEntry::file_name);
        let found: Vec<_> = files
            .into_iter()
            .map(|file| {
                (file.file_name().into_string().unwrap(), std::fs::read_to_string(file.path()).unwrap())
            })
            .collect();
        let embedded: Vec<_> = migrator
            .iter()
            .map(|m| (format!("{:04}_{}.sql", m.version, m.description), m.sql.as_str().to_owned()))
            .collect();
        assert!(!embedded.is_empty() && found == embedded, "{service}: the folder and the binary differ");
    }
}
