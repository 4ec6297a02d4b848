//! `eduhub admin doctor`.
use crate::commands::connect::Connection;
use crate::doctor::{Finding, Level, Target, examine};
use crate::output;
use std::process::ExitCode;

/// Options of `eduhub admin doctor`. Ends with 0 when all is well, 1 with warnings, 2 when something does not work.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Registry.
    #[arg(long, env = "EDUHUB_REGISTRY_URL")]
    registry_url: Option<String>,
    /// Facility.
    #[arg(long, env = "EDUHUB_FACILITY_URL")]
    facility_url: Option<String>,
    /// Approval.
    #[arg(long, env = "EDUHUB_APPROVAL_URL")]
    approval_url: Option<String>,
    /// Ministry bridge.
    #[arg(long, env = "EDUHUB_BRIDGE_URL")]
    bridge_url: Option<String>,
    /// Look at the deployment alone, not at the Ministry behind it: that one may be away when all of this is well.
    #[arg(long)]
    within: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let tls = self.connection.tls()?;
        let target = |name, url: Option<String>| Target { name, url };
        let targets = [
            target("identity", self.connection.identity().ok().map(str::to_owned)),
            target("registry", self.registry_url),
            target("facility", self.facility_url),
            target("approval", self.approval_url),
            target("bridge", self.bridge_url),
        ];
        let session = self.connection.try_session().await;
        let findings = examine(&targets, &tls, session, self.within).await;
        let row =
            |f: &Finding| vec![mark(f.level).to_owned(), f.place.clone(), f.code.to_owned(), f.text.clone()];
        output::table(&["", "where", "code", "what"], findings.iter().map(row).collect());
        let worst = findings.iter().map(|f| f.level).max().unwrap_or(Level::Well);
        let count = |level| findings.iter().filter(|f| f.level == level).count();
        let (broken, warnings) = (count(Level::Broken), count(Level::Warning));
        output::line(match worst {
            Level::Broken => {
                format!("{broken} broken, {warnings} warnings / {broken} hỏng, {warnings} cảnh báo")
            }
            Level::Warning => format!("{warnings} warnings / {warnings} cảnh báo"),
            Level::Well | Level::Skipped => "all is well / mọi thứ đều ổn".to_owned(),
        });
        Ok(ExitCode::from(match worst {
            Level::Broken => 2,
            Level::Warning => 1,
            Level::Well | Level::Skipped => 0,
        }))
    }
}

fn mark(level: Level) -> &'static str {
    match level {
        Level::Well => "ok",
        Level::Skipped => "-",
        Level::Warning => "WARN",
        Level::Broken => "BROKEN",
    }
}
