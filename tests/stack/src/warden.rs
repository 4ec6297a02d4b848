use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::StackError;

/// Reads orders until its input ends, which it does also when the process that writes it is killed; then kills
/// whom it still watches.
const SCRIPT: &str = r#"
pids=
while read -r order pid; do
  case $order in
    watch) pids="$pids $pid" ;;
    forget)
      rest=
      for each in $pids; do [ "$each" = "$pid" ] || rest="$rest $each"; done
      pids=$rest ;;
    end) kill -TERM "$pid" 2>/dev/null ;;
  esac
done
for pid in $pids; do kill -KILL "$pid" 2>/dev/null; done
"#;

/// A small shell process that ends the stack's programs when the process that started them dies, however it dies.
///
/// It has a process group of its own, so a terminal's ctrl-C does not reach it. It also sends SIGTERM, which the
/// standard library cannot.
#[derive(Debug)]
pub struct Warden {
    shell: Mutex<(Child, Option<ChildStdin>)>,
}

impl Warden {
    /// Starts it.
    ///
    /// # Errors
    /// [`StackError::Io`].
    pub fn start() -> Result<Self, StackError> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(StackError::io("starting /bin/sh"))?;
        let orders = shell.stdin.take();
        Ok(Self { shell: Mutex::new((shell, orders)) })
    }

    /// Kills process `pid` when this process is gone.
    pub(crate) fn watch(&self, pid: u32) {
        self.order("watch", pid);
    }

    /// No longer does: the process has ended, its number may become another's.
    pub(crate) fn forget(&self, pid: u32) {
        self.order("forget", pid);
    }

    /// Sends SIGTERM.
    pub(crate) fn end(&self, pid: u32) {
        self.order("end", pid);
    }

    /// No more orders: the shell kills whom it watches, and ends.
    pub(crate) fn close(&self) {
        let mut shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner);
        drop(shell.1.take());
        let _ = shell.0.wait();
    }

    /// An order that cannot be given (the shell was killed) is lost: the caller's own deadlines and `kill_on_drop`
    /// still end the processes.
    fn order(&self, order: &str, pid: u32) {
        let mut shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(orders) = &mut shell.1 {
            let _ = writeln!(orders, "{order} {pid}");
        }
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        self.close();
    }
}
