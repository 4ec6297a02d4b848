use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rcgen::KeyPair;

use crate::{Program, StackError, private};

/// The secret files that a deployment would mount, made for development: mode 600, in a directory of mode 700.
///
/// What is there already stays: a database that is kept needs the keys it was written with.
#[derive(Clone, Debug)]
pub struct Secrets {
    dir: PathBuf,
}

impl Secrets {
    /// Makes what `dir` lacks.
    ///
    /// # Errors
    /// [`StackError::Io`], [`StackError::Certificates`], [`StackError::Vault`].
    pub fn open_or_create(dir: &Path) -> Result<Self, StackError> {
        private::directory(dir)?;
        let secrets = Self { dir: dir.to_owned() };
        once(&secrets.token_key(), || Ok(KeyPair::generate()?.serialize_pem()))?;
        once(&secrets.receipt_key(), || Ok(KeyPair::generate()?.serialize_pem()))?;
        once(&secrets.vault(), || Ok(eduhub_vault::generate()?.to_string()))?;
        for path in [secrets.admin_password(), secrets.ministry_client(), secrets.npd_api_key()] {
            once(&path, || Ok(private::random_secret()))?;
        }
        let mut all = BTreeMap::new();
        for service in Program::SERVICES {
            let path = secrets.service(service);
            once(&path, || Ok(private::random_secret()))?;
            all.insert(service.name(), Self::read(&path)?);
        }
        private::write(&secrets.services(), serde_json::json!(all).to_string().as_bytes())?;
        Ok(secrets)
    }

    /// The key that identity signs access tokens with: EC P-256 (ES256), PKCS#8 PEM.
    pub fn token_key(&self) -> PathBuf {
        self.dir.join("token-key.pem")
    }

    /// The key that registry and facility sign receipts of pushes with, the same way.
    pub fn receipt_key(&self) -> PathBuf {
        self.dir.join("receipt-key.pem")
    }

    /// The key file of `eduhub-vault`, TOML.
    pub fn vault(&self) -> PathBuf {
        self.dir.join("vault.toml")
    }

    /// The first administrator's password: one line without a line end.
    pub fn admin_password(&self) -> PathBuf {
        self.dir.join("admin-password")
    }

    /// The secret of the bridge's OAuth client at the Ministry: one line without a line end.
    pub fn ministry_client(&self) -> PathBuf {
        self.dir.join("ministry-client")
    }

    /// The key that identity shows to the population database: one line without a line end.
    pub fn npd_api_key(&self) -> PathBuf {
        self.dir.join("npd-api-key")
    }

    /// The content of one of these files.
    ///
    /// # Errors
    /// [`StackError::Io`].
    pub fn read(path: &Path) -> Result<String, StackError> {
        std::fs::read_to_string(path).map_err(StackError::io(format!("reading {}", path.display())))
    }

    /// The secret that `program` proves itself with to identity: one line without a line end.
    pub fn service(&self, program: Program) -> PathBuf {
        self.dir.join(format!("service-{program}"))
    }

    /// All service secrets, for identity to know them: a JSON object of secrets by short name.
    pub fn services(&self) -> PathBuf {
        self.dir.join("services.json")
    }
}

fn once(path: &Path, make: impl FnOnce() -> Result<String, StackError>) -> Result<(), StackError> {
    if path.exists() { Ok(()) } else { private::write(path, make()?.as_bytes()) }
}
