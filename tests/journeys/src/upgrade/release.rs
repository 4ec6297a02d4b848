//! The releases of an upgrade: the one before, the present one, and the schema of those to come.
use crate::ground::Ground;
use eduhub_pg::{DbSettings, Migrator, PgPool, migrator};
use eduhub_registry::schema::MIGRATOR;
use eduhub_stack::{Launch, Process, Program, StackError, Warden};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// The binaries of the release before, when there are some: `scripts/upgrade-drill` builds them from the last tag.
pub fn binaries_before() -> Option<PathBuf> {
    std::env::var_os("EDUHUB_OLD_BIN_DIR").map(PathBuf::from)
}

/// How registry of the release before is started at an address.
pub fn before(ground: &Ground, at: SocketAddr) -> Launch {
    let mut launch = ground.stack.launch(Program::Registry).unwrap().clone();
    launch.env.push(("EDUHUB_LISTEN".to_owned(), at.to_string().into()));
    launch.log.set_file_name(format!("registry-{}.log", at.port()));
    launch
}

/// How registry of the present release is started at an address.
pub fn present(ground: &Ground, at: SocketAddr) -> Launch {
    let program = eduhub_stack::bin_dir(None).unwrap().join(Program::Registry.binary());
    Launch { program, ..before(ground, at) }
}

pub async fn start(launch: Launch, warden: &Arc<Warden>) -> Result<Process, StackError> {
    Process::start(launch, PATIENCE, warden).await
}

/// Applies the present release's migrations by its own command.
pub async fn migrate(ground: &Ground, warden: &Warden) -> Result<(), StackError> {
    let at = ground.stack.addr(Program::Registry).unwrap();
    let launch = Launch { args: vec!["migrate".into()], ..present(ground, at) };
    launch.run(PATIENCE, warden).await
}

/// Registry's database as its own role.
pub async fn database(ground: &Ground) -> PgPool {
    let url = ground.stack.database().url(Program::Registry).unwrap();
    eduhub_pg::connect(&DbSettings::for_url(url, "upgrade")).await.unwrap()
}

/// The migrations of the first or the second release after this one: a column comes, and goes when nobody needs it any more.
pub fn after(releases: usize) -> Migrator {
    let now = MIGRATOR.iter().map(|m| m.version).max().unwrap();
    let expand = format!("-- oldest-binary: {now}\nalter table pupil_record add column to_come text");
    let contract = format!("-- oldest-binary: {}\nalter table pupil_record drop column to_come", now + 1);
    let text = |sql: String| -> &'static str { Box::leak(sql.into_boxed_str()) };
    let files: Vec<_> =
        [expand, contract].into_iter().zip(now + 1..).map(|(sql, n)| (n, "to_come", text(sql))).collect();
    let later = migrator(&files[..releases]);
    Migrator::with_migrations(MIGRATOR.iter().chain(later.iter()).cloned().collect())
}
