//! What each program finds in its environment. The names are those that a deployment sets.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use crate::{Certs, Database, Program, Secrets, StackConfig, StackError};

/// Seconds that a service drains before it ends: shorter than its default of 20, for ctrl-C is pressed by people.
const DRAIN_SECONDS: u64 = 5;

/// OAuth client of the bridge, as the simulated Ministry knows it.
const MINISTRY_CLIENT_ID: &str = "eduhub-development";

/// What the stack has made before it starts the programs.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) certs: Certs,
    pub(crate) secrets: Secrets,
    pub(crate) database: Database,
    pub(crate) addresses: BTreeMap<Program, SocketAddr>,
}

impl Ground {
    /// Service URLs name `localhost`, which the certificate holds; the simulators speak HTTP in the clear.
    pub(crate) fn url(&self, program: Program) -> Option<String> {
        let port = self.addresses.get(&program)?.port();
        Some(if program.is_service() {
            format!("https://localhost:{port}")
        } else {
            format!("http://127.0.0.1:{port}")
        })
    }
}

/// The arguments of `program` when it is to run.
pub(crate) fn arguments(program: Program, ground: &Ground, config: &StackConfig) -> Vec<OsString> {
    if program.is_service() {
        return vec!["serve".into()];
    }
    let mut args: Vec<OsString> = Vec::new();
    if let Some(address) = ground.addresses.get(&program) {
        args.extend(["--listen".into(), address.to_string().into()]);
    }
    if let Some(population) = &config.population {
        args.extend(["--population".into(), population.into()]);
    }
    args
}

/// The environment of `program`.
pub(crate) fn of(
    program: Program,
    ground: &Ground,
    config: &StackConfig,
) -> Result<Vec<(String, OsString)>, StackError> {
    let mut env = Environment(Vec::new());
    if program.is_service() {
        env.service(program, ground, config);
    } else {
        env.set("SIMULATORS_MINISTRY_CLIENT_ID", MINISTRY_CLIENT_ID);
        env.set("SIMULATORS_MINISTRY_CLIENT_SECRET", Secrets::read(&ground.secrets.ministry_client())?);
        env.set("SIMULATORS_NPD_API_KEY", Secrets::read(&ground.secrets.npd_api_key())?);
    }
    if let Some(endpoint) = &config.otlp_endpoint {
        env.set("OTLP_ENDPOINT", endpoint);
    }
    let extra = config.env.iter().filter(|(for_program, ..)| *for_program == program);
    env.0.extend(extra.map(|(_, name, value)| (name.clone(), value.into())));
    Ok(env.0)
}

struct Environment(Vec<(String, OsString)>);

impl Environment {
    fn set(&mut self, key: &str, value: impl Into<OsString>) {
        self.0.push((format!("EDUHUB_{key}"), value.into()));
    }

    fn path(&mut self, key: &str, path: impl AsRef<Path>) {
        self.set(key, path.as_ref().as_os_str());
    }

    fn service(&mut self, program: Program, ground: &Ground, config: &StackConfig) {
        if let Some(address) = ground.addresses.get(&program) {
            self.set("LISTEN", address.to_string());
        }
        if let Some(url) = ground.database.url(program) {
            self.set("DATABASE_URL", url);
        }
        if let Some(url) = &config.redis_url {
            self.set("REDIS_URL", url);
        }
        self.path("TLS_CERT", &ground.certs.cert);
        self.path("TLS_KEY", &ground.certs.key);
        self.path("TLS_CA", &ground.certs.ca);
        self.path("VAULT_FILE", ground.secrets.vault());
        self.path("SERVICE_SECRET_FILE", ground.secrets.service(program));
        self.set("DRAIN_SECONDS", DRAIN_SECONDS.to_string());
        for peer in Program::SERVICES {
            if let Some(url) = ground.url(peer) {
                self.set(&format!("{}_URL", peer.name().to_uppercase()), url);
            }
        }
        match program {
            Program::Identity => self.identity(ground),
            Program::Bridge => self.bridge(ground),
            Program::Registry | Program::Facility => {
                self.path("RECEIPT_KEY_FILE", ground.secrets.receipt_key());
            }
            _ => {}
        }
    }

    fn identity(&mut self, ground: &Ground) {
        self.path("TOKEN_KEY_FILE", ground.secrets.token_key());
        self.path("SERVICE_SECRETS_FILE", ground.secrets.services());
        self.path("ADMIN_PASSWORD_FILE", ground.secrets.admin_password());
        if let Some(url) = ground.url(Program::Simulators) {
            self.set("NPD_URL", format!("{url}/npd"));
            self.path("NPD_API_KEY_FILE", ground.secrets.npd_api_key());
        }
    }

    fn bridge(&mut self, ground: &Ground) {
        if let Some(url) = ground.url(Program::Simulators) {
            self.set("MINISTRY_URL", format!("{url}/moet"));
            self.set("MINISTRY_CLIENT_ID", MINISTRY_CLIENT_ID);
            self.path("MINISTRY_CLIENT_SECRET_FILE", ground.secrets.ministry_client());
        }
    }
}
