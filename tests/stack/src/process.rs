use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{StackError, Warden};

/// What to run, with nothing of this process's environment but what a program needs to run at all.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Name in messages and in the ready line.
    pub name: String,
    /// The executable.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its environment; the last of two equal names counts.
    pub env: Vec<(String, OsString)>,
    /// Standard output and standard error are appended to this file.
    pub log: PathBuf,
}

/// Taken over from this process: the superuser's DATABASE_URL, for one, is no business of a service.
const INHERITED: [&str; 7] =
    ["PATH", "HOME", "TMPDIR", "LANG", "RUST_BACKTRACE", "EDUHUB_LOG", "EDUHUB_ACCESS_LOG"];

impl Launch {
    fn command(&self) -> Result<(Command, File), StackError> {
        let opened = || OpenOptions::new().create(true).append(true).open(&self.log);
        let log = opened().map_err(StackError::io(format!("opening {}", self.log.display())))?;
        let stderr = log.try_clone().map_err(StackError::io("duplicating a file"))?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stderr(stderr)
            // A terminal's ctrl-C goes to the stack alone, which then ends its programs in order.
            .process_group(0)
            .kill_on_drop(true);
        Ok((command, log))
    }

    fn spawn(&self, mut command: Command, warden: &Warden) -> Result<Child, StackError> {
        let child =
            command.spawn().map_err(StackError::io(format!("starting {}", self.program.display())))?;
        if let Some(pid) = child.id() {
            warden.watch(pid);
        }
        Ok(child)
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// [`StackError::Ended`] when it fails or takes longer than `deadline`; then it is killed.
    pub async fn run(&self, deadline: Duration, warden: &Warden) -> Result<(), StackError> {
        let (mut command, log) = self.command()?;
        command.stdout(log);
        let mut child = self.spawn(command, warden)?;
        let pid = child.id();
        let ended = tokio::time::timeout(deadline, child.wait()).await;
        if ended.is_err() {
            let _ = child.kill().await;
        }
        if let Some(pid) = pid {
            warden.forget(pid);
        }
        match ended {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(self.ended(status.to_string())),
            Ok(Err(source)) => Err(StackError::io(format!("waiting for {}", self.name))(source)),
            Err(_) => Err(self.ended(format!("did not end within {deadline:?}"))),
        }
    }

    fn ended(&self, outcome: String) -> StackError {
        let tail = last_lines(&self.log, 12);
        StackError::Ended { name: self.name.clone(), outcome, log: self.log.clone(), tail }
    }
}

/// A running program: killed on drop.
#[derive(Debug)]
pub struct Process {
    launch: Launch,
    child: Child,
    warden: Arc<Warden>,
    announced: BTreeMap<String, String>,
    copying: Option<JoinHandle<()>>,
}

/// How long after its end the rest of a program's output is waited for: it is there at once, unless a child of the
/// program holds the pipe open.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

impl Process {
    /// Starts a program and waits for its line `<name> ready [key=value ...]` on standard output.
    ///
    /// # Errors
    /// [`StackError::Ended`], with the end of its log, when it ends before or takes longer than `deadline`.
    pub async fn start(launch: Launch, deadline: Duration, warden: &Arc<Warden>) -> Result<Self, StackError> {
        let (mut command, log) = launch.command()?;
        command.stdout(Stdio::piped());
        let mut child = launch.spawn(command, warden)?;
        let (said, mut ready) = oneshot::channel();
        let prefix = format!("{} ready", launch.name);
        let copying = child.stdout.take().map(|stdout| tokio::spawn(copy_to_log(stdout, log, prefix, said)));
        let (warden, announced) = (warden.clone(), BTreeMap::new());
        let mut process = Self { launch, child, warden, announced, copying };
        let outcome = tokio::select! {
            Ok(line) = &mut ready => {
                process.announced = pairs(&line);
                return Ok(process);
            }
            ended = process.wait() => match ended {
                Ok(status) => format!("ended before it was ready ({status})"),
                Err(error) => format!("is lost ({error})"),
            },
            () = tokio::time::sleep(deadline) => format!("was not ready within {deadline:?}"),
        };
        process.kill().await?;
        Err(process.launch.ended(outcome))
    }

    /// What its ready line said: `grpc=127.0.0.1:4711` is `grpc` to `127.0.0.1:4711`.
    pub fn announced(&self) -> &BTreeMap<String, String> {
        &self.announced
    }

    /// How it was started.
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// Its process id, while it has not ended.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    ///
    /// # Errors
    /// [`StackError::Io`].
    pub async fn kill(&mut self) -> Result<(), StackError> {
        if self.pid().is_some() {
            self.child.start_kill().map_err(StackError::io(format!("killing {}", self.launch.name)))?;
        }
        self.wait().await.map(drop)
    }

    /// Asks it to end (SIGTERM) and kills it when it has not after `grace`. True: it ended by itself.
    ///
    /// # Errors
    /// [`StackError::Io`].
    pub async fn stop(&mut self, grace: Duration) -> Result<bool, StackError> {
        let Some(pid) = self.pid() else { return Ok(true) };
        self.warden.end(pid);
        if tokio::time::timeout(grace, self.wait()).await.is_ok() {
            return Ok(true);
        }
        self.kill().await?;
        Ok(false)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// [`StackError::Io`].
    pub async fn wait(&mut self) -> Result<ExitStatus, StackError> {
        let pid = self.pid();
        let waited = self.child.wait().await;
        let status = waited.map_err(StackError::io(format!("waiting for {}", self.launch.name)))?;
        self.forget(pid);
        if let Some(copying) = self.copying.take() {
            let _ = tokio::time::timeout(LAST_OUTPUT, copying).await;
        }
        Ok(status)
    }

    /// The error for a program that ended with `status` though nobody asked it to.
    pub(crate) fn ended(&self, status: ExitStatus) -> StackError {
        self.launch.ended(format!("ended by itself ({status})"))
    }

    fn forget(&self, pid: Option<u32>) {
        if let Some(pid) = pid {
            self.warden.forget(pid);
        }
    }
}

impl Drop for Process {
    /// A number that no longer is this process's must not be killed later.
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        self.forget(self.pid());
    }
}

/// Copies standard output to the log for as long as there is any: a full pipe would block the program.
async fn copy_to_log(stdout: ChildStdout, mut log: File, prefix: String, said: oneshot::Sender<String>) {
    let mut said = Some(said);
    let mut lines = BufReader::new(stdout).split(b'\n');
    while let Ok(Some(mut line)) = lines.next_segment().await {
        line.push(b'\n');
        // Programs say a few lines here (logs go to standard error), so a blocking write is cheap. A disk that is
        // full must not stop them.
        let _ = log.write_all(&line);
        if line.starts_with(prefix.as_bytes())
            && let Some(said) = said.take()
        {
            let _ = said.send(String::from_utf8_lossy(&line).into_owned());
        }
    }
}

fn pairs(line: &str) -> BTreeMap<String, String> {
    let words = line.split_whitespace().filter_map(|word| word.split_once('='));
    words.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn last_lines(path: &Path, count: usize) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests;
