//! Act g: the operations centre follows the feed with `eduhub watch`, is killed and restarted, and has an exact copy.
use anyhow::{Context, Result};
use eduhub_cast::{Actor, Client, Doors};
use eduhub_proto::{common::v1::SchoolDigestRequest, registry::v1::seal_service_client::SealServiceClient};
use eduhub_stack::{Program, bin_dir};
use std::{
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// The centre's program and its copy.
pub struct Centre {
    child: Child,
    command: Launch,
    /// Times that it was killed.
    pub kills: u32,
}

struct Launch {
    program: PathBuf,
    args: Vec<String>,
    log: PathBuf,
    /// The copy.
    copy: PathBuf,
}

impl Launch {
    fn start(&self) -> Result<Child> {
        let log: File = OpenOptions::new().create(true).append(true).open(&self.log)?;
        Command::new(&self.program)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| self.program.display().to_string())
    }
}

impl Centre {
    /// Starts to follow from nothing.
    pub fn start(doors: &Doors, ca: &Path, who: &Client, dir: &Path) -> Result<Self> {
        let secret = dir.join("centre.secret");
        write_private(&secret, &who.secret)?;
        let copy = dir.join("centre.copy");
        let args = [
            "watch",
            "--server",
            doors.url(Program::Registry)?,
            "--identity-url",
            doors.url(Program::Identity)?,
            "--ca",
            &ca.display().to_string(),
            "--client-id",
            &who.client_id,
            "--client-secret-file",
            &secret.display().to_string(),
            "--to",
            &copy.display().to_string(),
        ];
        let args = args.map(str::to_owned).to_vec();
        let program = bin_dir(None)?.join("eduhub");
        let command = Launch { program, args, log: dir.join("watch.log"), copy };
        let child = command.start()?;
        Ok(Self { child, command, kills: 0 })
    }

    /// Kills it without warning and starts it again on the same copy.
    pub async fn kill_and_restart(&mut self) -> Result<()> {
        self.child.kill().await?;
        self.kills += 1;
        self.child = self.command.start()?;
        Ok(())
    }

    /// Ends it.
    pub async fn stop(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Its copy.
    pub fn copy(&self) -> &Path {
        &self.command.copy
    }

    /// Its log.
    pub fn log(&self) -> &Path {
        &self.command.log
    }
}

/// Writes a file that its owner alone may read.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

/// What the registry says of a school: records and digest.
pub async fn registry_digest(actor: &Actor, school: &str) -> Result<(u64, Vec<u8>)> {
    let mut client = SealServiceClient::new(actor.at(Program::Registry));
    let request = SchoolDigestRequest { school_code: school.to_owned() };
    let digest = client.get_school_digest(request).await?.into_inner();
    Ok((digest.counts.iter().map(|c| c.count).sum(), digest.digest))
}

/// Waits for a condition with a deadline, looking again every little while.
pub async fn until<F>(what: &str, deadline: Duration, mut look: impl FnMut() -> F) -> Result<()>
where
    F: Future<Output = Result<bool>>,
{
    let end = Instant::now() + deadline;
    loop {
        if look().await? {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < end, "waited {} s for {what}", deadline.as_secs());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
