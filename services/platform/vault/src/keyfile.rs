use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::VaultError;

/// The key file, TOML. The highest seal id is current; older ones stay until nothing is sealed under them. An entry with
/// `next = true` opens and does not seal yet: give it to every process first, so that none meets a value that it can't open, and
/// only then take the line away.
///
/// ```toml
/// blind_index_hex = "64 hex digits"   # changing it means indexing every row anew
/// digest_hex      = "64 hex digits"   # changing it makes every record look changed once
/// cache_hex       = "64 hex digits"   # may change at any time: the cache starts empty
/// [[seal]]
/// id = 1
/// key_hex = "64 hex digits"
/// ```
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    #[serde(deserialize_with = "wiped")]
    blind_index_hex: Zeroizing<String>,
    #[serde(deserialize_with = "wiped")]
    digest_hex: Zeroizing<String>,
    #[serde(deserialize_with = "wiped")]
    cache_hex: Zeroizing<String>,
    seal: Vec<SealEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SealEntry {
    id: u8,
    #[serde(default)]
    next: bool,
    #[serde(deserialize_with = "wiped")]
    key_hex: Zeroizing<String>,
}

fn wiped<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

/// The decoded keys, wiped when dropped.
pub(crate) struct Material {
    pub(crate) seal: BTreeMap<u8, Zeroizing<[u8; 32]>>,
    /// The id that seals.
    pub(crate) current: u8,
    pub(crate) blind_index: Zeroizing<[u8; 32]>,
    pub(crate) digest: Zeroizing<[u8; 32]>,
    pub(crate) cache: Zeroizing<[u8; 32]>,
}

impl KeyFile {
    /// Reads and parses the file at `path`.
    ///
    /// # Errors
    /// [`VaultError::Unreadable`], [`VaultError::KeyFile`].
    pub fn read(path: &Path) -> Result<Self, VaultError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| VaultError::Unreadable { path: path.display().to_string(), source })?;
        Self::parse(&Zeroizing::new(text))
    }

    /// Parses the text of a key file.
    ///
    /// # Errors
    /// [`VaultError::KeyFile`] names the place by line, without quoting it: the parser's own message would show
    /// the line, and with it the key.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            VaultError::KeyFile(format!("line {line} is not what a key file holds there"))
        })
    }

    pub(crate) fn decode(self) -> Result<Material, VaultError> {
        let mut seal = BTreeMap::new();
        for entry in &self.seal {
            let name = format!("seal {}", entry.id);
            if seal.insert(entry.id, key(&name, &entry.key_hex)?).is_some() {
                return Err(VaultError::KeyFile(format!("seal id {} stands there twice", entry.id)));
            }
        }
        let current = self.seal.iter().filter(|entry| !entry.next).map(|entry| entry.id).max();
        Ok(Material {
            seal,
            current: current.ok_or_else(|| VaultError::KeyFile("no [[seal]] key that may seal".into()))?,
            blind_index: key("blind_index_hex", &self.blind_index_hex)?,
            digest: key("digest_hex", &self.digest_hex)?,
            cache: key("cache_hex", &self.cache_hex)?,
        })
    }
}

fn key(name: &str, text: &str) -> Result<Zeroizing<[u8; 32]>, VaultError> {
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text, &mut *bytes)
        .map_err(|_| VaultError::KeyFile(format!("{name} is not 64 hex digits")))?;
    if bytes.iter().all(|byte| *byte == bytes[0]) {
        return Err(VaultError::KeyFile(format!("{name} is one byte repeated: a placeholder, not a key")));
    }
    Ok(bytes)
}

/// The text of a new key file with random keys, for development and for the first installation.
///
/// # Errors
/// [`VaultError::Crypto`] when the system's random source fails.
pub fn generate() -> Result<Zeroizing<String>, VaultError> {
    let mut text = Zeroizing::new(String::with_capacity(512));
    for name in ["blind_index_hex", "digest_hex", "cache_hex"] {
        text.push_str(&format!("{name} = \"{}\"\n", &*random_hex()?));
    }
    text.push_str(&format!("\n[[seal]]\nid = 1\nkey_hex = \"{}\"\n", &*random_hex()?));
    Ok(text)
}

fn random_hex() -> Result<Zeroizing<String>, VaultError> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    aws_lc_rs::rand::fill(&mut *bytes).map_err(|_| VaultError::Crypto)?;
    Ok(Zeroizing::new(hex::encode(*bytes)))
}
