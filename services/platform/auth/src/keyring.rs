//! Signing keys from mounted files, with rotation.
use crate::{KeyError, Signer};
use eduhub_proto::identity::v1::PublicKey;
use eduhub_runtime::config::Reader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use time::Date;
use time::macros::format_description;

/// A key file with this end is published and does not sign yet: give every replica the next key first, and only then take
/// the end off the name, so that no verifier meets a signature whose key it does not know.
const NEXT: &str = ".next.pem";

/// Signing keys: one signs, all are published.
#[derive(Clone)]
pub struct Keyring(Arc<Keys>);

struct Keys {
    current: Signer,
    published: Vec<PublicKey>,
    since: Option<Date>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids = self.published().iter().map(|key| &key.key_id);
        f.debug_list().entries(ids).finish()
    }
}

/// Why the keys can't be used. Shows paths, never content.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct KeyringError {
    path: String,
    reason: String,
}

impl Keyring {
    /// Reads a PEM file (its first key signs) or a directory of `*.pem` files (the one whose name comes last signs: name
    /// them by date). All keys are published.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn load(path: &Path) -> Result<Self, KeyringError> {
        let fail = |path: &Path, reason: &dyn std::fmt::Display| KeyringError {
            path: path.display().to_string(),
            reason: reason.to_string(),
        };
        let (mut signing, mut waiting, mut since) = (Vec::new(), Vec::new(), None);
        for file in files(path).map_err(|error| fail(path, &error))? {
            let pem = std::fs::read(&file).map_err(|error| fail(&file, &error))?;
            let keys = Signer::all_from_pem(&pem).map_err(|error| fail(&file, &error))?;
            if file.to_string_lossy().ends_with(NEXT) {
                waiting.extend(keys);
            } else {
                if signing.is_empty() {
                    since = named_after(&file);
                }
                signing.extend(keys);
            }
        }
        let mut signing = signing.into_iter();
        let current = signing.next().ok_or_else(|| fail(path, &"holds no key that may sign"))?;
        Ok(Self::since_day(since, current, signing.chain(waiting)))
    }

    /// A ring of one new key, for tests.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self::of(Signer::generate()?, []))
    }

    /// The ring that a setting names; a mistake is added to the others.
    pub fn read(r: &mut Reader, key: &'static str) -> Option<Self> {
        let path = r.required::<PathBuf>(key)?;
        match Self::load(&path) {
            Ok(keyring) => Some(keyring),
            Err(error) => {
                let name = r.name(key);
                r.mistake(format!("{name}: {error}"));
                None
            }
        }
    }

    /// A ring of one key that signs and others that are published.
    pub fn of(current: Signer, others: impl IntoIterator<Item = Signer>) -> Self {
        Self::since_day(None, current, others)
    }

    fn since_day(since: Option<Date>, current: Signer, others: impl IntoIterator<Item = Signer>) -> Self {
        let mut published = vec![current.public_key().clone()];
        published.extend(others.into_iter().map(|key| key.public_key().clone()));
        Self(Arc::new(Keys { current, published, since }))
    }

    /// The key that signs.
    pub fn current(&self) -> &Signer {
        &self.0.current
    }

    /// The day that the file of the key that signs is named after (`2026-12.pem`: the first of the month), if it is.
    pub fn since(&self) -> Option<Date> {
        self.0.since
    }

    /// All keys whose signatures are good, the signing one first.
    pub fn published(&self) -> &[PublicKey] {
        &self.0.published
    }
}

fn named_after(file: &Path) -> Option<Date> {
    let stem = file.file_stem()?.to_str()?;
    let day = if stem.len() == "2026-12".len() { format!("{stem}-01") } else { stem.to_owned() };
    Date::parse(&day, format_description!("[year]-[month]-[day]")).ok()
}

/// The file itself, or a directory's PEM files, newest name first.
fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "pem") {
            found.push(file);
        }
    }
    found.sort();
    found.reverse();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem() -> String {
        rcgen::KeyPair::generate().unwrap().serialize_pem()
    }

    fn id(pem: &str) -> String {
        Signer::from_pem(pem.as_bytes()).unwrap().public_key().key_id.clone()
    }

    #[test]
    fn the_newest_signs_all_are_published_and_the_next_waits() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new, next) = (pem(), pem(), pem());
        for (name, pem) in [("2026-01.pem", &old), ("2026-07.pem", &new), ("2027-01.next.pem", &next)] {
            std::fs::write(dir.path().join(name), pem).unwrap();
        }
        std::fs::write(dir.path().join("README"), "not a key").unwrap();
        let ring = Keyring::load(dir.path()).unwrap();
        assert_eq!(ring.current().public_key().key_id, id(&new));
        assert_eq!(ring.since().map(|day| day.to_string()), Some("2026-07-01".to_owned()));
        assert_eq!(named_after(Path::new("/keys/2026-07-15.pem")).map(|day| day.day()), Some(15));
        assert_eq!(named_after(Path::new("/keys/token-key.pem")), None);
        let published: Vec<_> = ring.published().iter().map(|key| key.key_id.clone()).collect();
        assert_eq!(published, [id(&new), id(&old), id(&next)]);
    }

    #[test]
    fn one_file_may_hold_several_keys_and_must_hold_one() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (pem(), pem());
        let path = dir.path().join("keys.pem");
        std::fs::write(&path, format!("{first}{second}")).unwrap();
        let ring = Keyring::load(&path).unwrap();
        assert_eq!(ring.current().public_key().key_id, id(&first));
        assert_eq!(ring.published().len(), 2);
        std::fs::write(&path, "rubbish").unwrap();
        let error = Keyring::load(&path).err().unwrap().to_string();
        assert!(error.contains("keys.pem") && !error.contains("rubbish"), "{error}");
        assert!(Keyring::load(&dir.path().join("none.pem")).is_err());
    }
}
