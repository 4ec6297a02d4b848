//! argon2id, which is meant to be slow, kept from slowing everything else.
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use eduhub_faults::{Fault, Reason};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Two at once: each takes 25 ms of a core and 19 MiB (OWASP's floor: 19 MiB, 2 passes, 1 lane, argon2's default).
const AT_ONCE: usize = 2;
/// More than this many in line would wait longer than a second.
const IN_LINE: usize = 64;

/// Hashes and verifies secrets.
#[derive(Clone)]
pub struct Hasher(Arc<Inner>);

struct Inner {
    slots: Arc<Semaphore>,
    line: Arc<Semaphore>,
    /// Hash of a secret that nobody knows: an unknown principal costs the same work as a known one.
    decoy: String,
}

/// A turn at hashing.
pub struct Turn {
    _slot: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Hasher {
    /// Makes a hasher with its decoy.
    ///
    /// # Errors
    /// When the system's random source fails.
    pub fn new() -> Result<Self, Fault> {
        let decoy = compute(&super::new_secret()?)?;
        let semaphore = |size| Arc::new(Semaphore::new(size));
        Ok(Self(Arc::new(Inner { slots: semaphore(AT_ONCE), line: semaphore(IN_LINE), decoy })))
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED/OVERLOADED when too many wait.
    pub async fn turn(&self) -> Result<Turn, Fault> {
        let full = |_| Fault::new(Reason::Overloaded).retry_after(Duration::from_secs(1));
        let _place = self.0.line.clone().try_acquire_owned().map_err(full)?;
        let _slot = self.0.slots.clone().acquire_owned().await.map_err(Fault::internal)?;
        Ok(Turn { _slot, _place })
    }

    /// Whether the secret has this hash. Without a hash it does the same work and says no.
    ///
    /// # Errors
    /// Only internal ones.
    pub async fn verify(
        &self,
        turn: Turn,
        secret: SecretString,
        hash: Option<String>,
    ) -> Result<bool, Fault> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.0.decoy.clone());
        let matches = move || {
            let _turn = turn;
            let parsed =
                PasswordHash::new(&hash).map_err(|_| Fault::internal("a stored hash does not parse"))?;
            Ok(Argon2::default().verify_password(secret.expose_secret().as_bytes(), &parsed).is_ok())
        };
        let matches: Result<bool, Fault> =
            tokio::task::spawn_blocking(matches).await.map_err(Fault::internal)?;
        Ok(matches? && known)
    }

    /// The hash of a new secret.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED/OVERLOADED when too many wait.
    pub async fn hash(&self, secret: SecretString) -> Result<String, Fault> {
        let turn = self.turn().await?;
        let work = move || {
            let _turn = turn;
            compute(&secret)
        };
        tokio::task::spawn_blocking(work).await.map_err(Fault::internal)?
    }
}

fn compute(secret: &SecretString) -> Result<String, Fault> {
    let hash = Argon2::default().hash_password(secret.expose_secret().as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|_| Fault::internal("a secret could not be hashed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_secret_itself_matches() {
        let hasher = Hasher::new().unwrap();
        let hash = hasher.hash("mật khẩu".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hasher.hash("mật khẩu".into()).await.unwrap(), "salted");
        let verify = async |secret: &str, hash: Option<String>| {
            hasher.verify(hasher.turn().await.unwrap(), secret.into(), hash).await.unwrap()
        };
        assert!(verify("mật khẩu", Some(hash.clone())).await);
        assert!(!verify("mật khẩu ", Some(hash)).await);
        assert!(!verify("mật khẩu", None).await, "nobody has the decoy");
    }

    #[tokio::test]
    async fn a_long_line_is_refused_instead_of_growing() {
        let hasher = Hasher::new().unwrap();
        let mut turns = Vec::new();
        for _ in 0..AT_ONCE {
            turns.push(hasher.turn().await.unwrap());
        }
        let waiting: Vec<_> = (AT_ONCE..IN_LINE)
            .map(|_| {
                let hasher = hasher.clone();
                tokio::spawn(async move { hasher.turn().await.map(drop).map_err(|fault| fault.reason()) })
            })
            .collect();
        while hasher.0.line.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(hasher.turn().await.err().unwrap().reason(), Reason::Overloaded);
        drop(turns);
        for task in waiting {
            assert_eq!(task.await.unwrap(), Ok(()));
        }
    }
}
