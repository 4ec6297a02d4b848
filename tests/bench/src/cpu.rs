//! CPU time of process trees, from `/proc`.
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

/// Ticks of `/proc/PID/stat`: Linux counts in hundredths of a second whatever the kernel's own clock.
const TICK: Duration = Duration::from_millis(10);

/// Whose time is measured.
#[derive(Clone, Copy, Debug)]
pub struct Watched {
    /// Postgres: the postmaster and all its children.
    pub postmaster: u32,
    /// The service.
    pub service: u32,
}

/// CPU time spent, user and system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    /// Postgres.
    pub postgres: Duration,
    /// The service.
    pub service: Duration,
    /// This process: the client.
    pub client: Duration,
}

impl Watched {
    /// Finds the postmaster from one of its backends.
    ///
    /// # Errors
    /// When the backend is no process of this machine.
    pub fn new(backend: u32, service: u32) -> Result<Self> {
        let postmaster = stat(backend).context("the database must run on this machine")?.parent;
        Ok(Self { postmaster, service })
    }

    /// Time spent up to now.
    ///
    /// # Errors
    /// When a process has ended.
    pub fn now(&self) -> Result<Cpu> {
        Ok(Cpu {
            postgres: tree(self.postmaster)?,
            service: tree(self.service)?,
            client: stat(std::process::id())?.own,
        })
    }
}

impl Cpu {
    /// Time spent since an earlier moment.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            postgres: self.postgres.saturating_sub(earlier.postgres),
            service: self.service.saturating_sub(earlier.service),
            client: self.client.saturating_sub(earlier.client),
        }
    }

    /// `postgres 9.1 + service 6.3 + client 2.4 us` per operation.
    pub fn per(&self, operations: usize) -> String {
        let us = |spent: Duration| spent.as_secs_f64() * 1e6 / operations.max(1) as f64;
        format!(
            "postgres {:.1} + service {:.1} + client {:.1} us",
            us(self.postgres),
            us(self.service),
            us(self.client)
        )
    }
}

struct Stat {
    parent: u32,
    own: Duration,
    /// Of children that have ended and were waited for.
    ended: Duration,
}

fn stat(pid: u32) -> Result<Stat> {
    let path = Path::new("/proc").join(pid.to_string()).join("stat");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    // The name, in brackets, may hold anything.
    let rest = text.rsplit_once(')').context("stat without a name")?.1;
    let fields: Vec<u64> = rest.split_whitespace().map(|f| f.parse().unwrap_or_default()).collect();
    let ticks =
        |at: usize| TICK * u32::try_from(fields.get(at).copied().unwrap_or_default()).unwrap_or(u32::MAX);
    Ok(Stat {
        parent: u32::try_from(fields.get(1).copied().unwrap_or_default())?,
        own: ticks(11) + ticks(12),
        ended: ticks(13) + ticks(14),
    })
}

fn tree(root: u32) -> Result<Duration> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        if let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok())
            && let Ok(stat) = stat(pid)
        {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let root_stat = stat(root)?;
    let mut total = root_stat.own + root_stat.ended;
    let mut open: Vec<u32> = children.remove(&root).unwrap_or_default();
    while let Some(pid) = open.pop() {
        if let Ok(stat) = stat(pid) {
            total += stat.own + stat.ended;
        }
        open.extend(children.remove(&pid).unwrap_or_default());
    }
    Ok(total)
}
