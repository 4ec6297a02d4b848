use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::{select_all, try_join_all};

use crate::environment::{self, Ground};
use crate::{
    Certs, Database, Launch, Process, Program, Secrets, StackConfig, StackError, Warden, bin_dir, binaries,
    free_ports, private,
};

/// All programs, running.
#[derive(Debug)]
pub struct Stack {
    // Dropped in this order: first the programs, then whom they talk to.
    processes: BTreeMap<Program, Process>,
    warden: Arc<Warden>,
    ground: Ground,
    launches: BTreeMap<Program, Launch>,
    config: StackConfig,
}

impl Stack {
    /// Makes certificates, secrets and database, migrates and starts; returns when every program is ready.
    ///
    /// # Errors
    /// Any [`StackError`]; then nothing is left running.
    pub async fn start(config: StackConfig) -> Result<Self, StackError> {
        let bin_dir = bin_dir(config.bin_dir.as_deref())?;
        let logs = config.dir.join("logs");
        private::directory(&logs)?;
        let ground = ground(&config).await?;
        let mut launches = BTreeMap::new();
        for program in &config.programs {
            let launch = Launch {
                name: program.binary().to_owned(),
                program: binaries::find(&bin_dir, *program)?,
                args: environment::arguments(*program, &ground, &config),
                env: environment::of(*program, &ground, &config)?,
                log: logs.join(format!("{program}.log")),
            };
            let emptied = OpenOptions::new().write(true).create(true).truncate(true).open(&launch.log);
            emptied.map_err(StackError::io(format!("opening {}", launch.log.display())))?;
            launches.insert(*program, launch);
        }
        let warden = Arc::new(Warden::start()?);
        migrate(&launches, &config, &warden).await?;
        let start = launches.iter().map(async |(program, launch)| {
            Ok::<_, StackError>((
                *program,
                Process::start(launch.clone(), config.start_deadline, &warden).await?,
            ))
        });
        let processes = try_join_all(start).await?.into_iter().collect();
        Ok(Self { processes, warden, ground, launches, config })
    }

    /// Where `program` listens; nothing when it was not to be started.
    pub fn addr(&self, program: Program) -> Option<SocketAddr> {
        self.launches.contains_key(&program).then(|| self.ground.addresses.get(&program).copied())?
    }

    /// How a client on this host reaches `program`: `https://localhost:PORT` for a service (see [`Certs::ca`]),
    /// `http://127.0.0.1:PORT` for the simulators, with the Ministry below `/moet`, the population database below
    /// `/npd` and their faults below `/control`. Empty when it was not to be started.
    pub fn url(&self, program: Program) -> String {
        self.addr(program).and_then(|_| self.ground.url(program)).unwrap_or_default()
    }

    /// What the ready line of `program` said: key to value.
    pub fn announced(&self, program: Program) -> Option<&BTreeMap<String, String>> {
        self.processes.get(&program).map(Process::announced)
    }

    /// The development certificates.
    pub fn certs(&self) -> &Certs {
        &self.ground.certs
    }

    /// The secret files.
    pub fn secrets(&self) -> &Secrets {
        &self.ground.secrets
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.ground.database
    }

    /// The log of `program`: both its outputs, of all its runs.
    pub fn log(&self, program: Program) -> PathBuf {
        self.logs().join(format!("{program}.log"))
    }

    /// The directory of all logs.
    pub fn logs(&self) -> PathBuf {
        self.config.dir.join("logs")
    }

    /// Process id of `program` while it runs: for those who measure it.
    pub fn pid(&self, program: Program) -> Option<u32> {
        self.processes.get(&program)?.pid()
    }

    /// The most memory that `program` has held resident since it started, in bytes.
    pub fn peak_resident_bytes(&self, program: Program) -> Option<u64> {
        let pid = self.pid(program)?;
        let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    }

    /// Kills `program` at once (SIGKILL), as a crash would.
    ///
    /// # Errors
    /// [`StackError::NotRunning`], [`StackError::Io`].
    pub async fn kill9(&mut self, program: Program) -> Result<(), StackError> {
        let process = self.processes.remove(&program);
        process.ok_or_else(|| StackError::NotRunning(program.to_string()))?.kill().await
    }

    /// Starts `program` again at its old address, ending it first (SIGTERM) when it still runs.
    ///
    /// # Errors
    /// [`StackError::NotRunning`] when it was never to be started, else what [`Process::start`] says.
    pub async fn restart(&mut self, program: Program) -> Result<(), StackError> {
        let launch = self.launch(program).ok_or_else(|| StackError::NotRunning(program.to_string()))?.clone();
        self.replace(program, launch).await
    }

    /// How `program` was started; nothing when it was not to be.
    pub fn launch(&self, program: Program) -> Option<&Launch> {
        self.launches.get(&program)
    }

    /// Starts `program` as `launch` says, ending it first (SIGTERM) when it still runs: an upgrade of one instance.
    ///
    /// # Errors
    /// What [`Process::start`] says.
    pub async fn replace(&mut self, program: Program, launch: Launch) -> Result<(), StackError> {
        if let Some(mut process) = self.processes.remove(&program) {
            process.stop(self.config.stop_deadline).await?;
        }
        let process = Process::start(launch, self.config.start_deadline, &self.warden).await?;
        self.processes.insert(program, process);
        Ok(())
    }

    /// Waits until a program ends that nobody asked to, and tells which and how.
    pub async fn first_failure(&mut self) -> StackError {
        if self.processes.is_empty() {
            return StackError::NotRunning("any program".to_owned());
        }
        let waits = self.processes.values_mut().map(|process| {
            Box::pin(async move {
                match process.wait().await {
                    Ok(status) => process.ended(status),
                    Err(error) => error,
                }
            })
        });
        select_all(waits).await.0
    }

    /// Ends all: SIGTERM to the services, then to the simulators, SIGKILL to those that take too long; drops the
    /// database. Returns the programs that had to be killed.
    ///
    /// # Errors
    /// [`StackError::Io`], [`StackError::Database`]; then all processes are gone nevertheless.
    pub async fn stop(self) -> Result<Vec<Program>, StackError> {
        let grace = self.config.stop_deadline;
        let mut killed = Vec::new();
        let (services, others): (Vec<_>, Vec<_>) =
            self.processes.into_iter().partition(|(program, _)| program.is_service());
        for group in [services, others] {
            let stops = group.into_iter().map(async |(program, mut process)| {
                Ok::<_, StackError>((program, process.stop(grace).await?))
            });
            let ended = try_join_all(stops).await?;
            killed.extend(ended.into_iter().filter(|(_, by_itself)| !by_itself).map(|(program, _)| program));
        }
        self.ground.database.finish().await?;
        Ok(killed)
    }
}

async fn ground(config: &StackConfig) -> Result<Ground, StackError> {
    let certs = Certs::create(&config.dir.join("certs"))?;
    let secrets = Secrets::open_or_create(&config.dir.join("secrets"))?;
    let addresses = Program::ALL.into_iter().zip(free_ports(Program::ALL.len())?).collect();
    let database = Database::create(&config.database_url, &config.database).await?;
    Ok(Ground { certs, secrets, database, addresses })
}

async fn migrate(
    launches: &BTreeMap<Program, Launch>,
    config: &StackConfig,
    warden: &Warden,
) -> Result<(), StackError> {
    let services = launches.iter().filter(|(program, _)| program.is_service());
    let runs = services.map(async |(_, launch)| {
        let migrate = Launch { args: vec!["migrate".into()], ..launch.clone() };
        migrate.run(config.start_deadline, warden).await
    });
    try_join_all(runs).await.map(drop)
}
