use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::file::File;
use super::mistakes::Mistakes;

const SHARED: &str = "EDUHUB";

/// Reads settings by key and collects every mistake until [`Reader::finish`].
///
/// A key such as `LISTEN` of the service `EDUHUB_REGISTRY` is looked for as `EDUHUB_REGISTRY_LISTEN`, then
/// `EDUHUB_LISTEN` in the environment, then `[registry] listen`, then `listen` in the file. Each of the four may
/// instead be `<KEY>_FILE`: the path of a file that holds the value (a mounted secret). An empty value counts as
/// absent.
pub struct Reader {
    prefix: String,
    env: BTreeMap<String, String>,
    file: File,
    asked: BTreeSet<String>,
    mistakes: Vec<String>,
}

struct Found {
    /// The name under which it stood, for the error.
    name: String,
    value: SecretString,
}

impl Reader {
    /// Reads the process environment for the service `prefix`, such as `EDUHUB_REGISTRY`, and the TOML file that
    /// the setting `CONFIG` names, if it is set.
    pub fn from_env(prefix: &str) -> Self {
        let env =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Self::from_pairs(prefix, env)
    }

    /// As [`Reader::from_env`] with the given variables instead of the process environment: for tests.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(
        prefix: &str,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let env = pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        let mut reader = Self {
            prefix: prefix.to_owned(),
            env,
            file: File::default(),
            asked: BTreeSet::new(),
            mistakes: Vec::new(),
        };
        if let Some(path) = reader.optional::<PathBuf>("CONFIG") {
            reader = reader.with_file(&path);
        }
        reader
    }

    /// Merges a TOML file under the environment (`--config`), replacing one that was read before.
    pub fn with_file(mut self, path: &Path) -> Self {
        let table = self.prefix.strip_prefix("EDUHUB_").unwrap_or(&self.prefix).to_lowercase();
        let parsed = std::fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|text| File::parse(&text, &table));
        match parsed {
            Ok(file) => self.file = file,
            Err(reason) => self.mistake(format!("{}: {reason}", path.display())),
        }
        self
    }

    /// A setting without which the service can't run. `None` is always also a recorded mistake.
    ///
    /// What `T`'s parser says is shown, so it must not be used for secrets: see [`Reader::secret`].
    pub fn required<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<T> {
        match self.find(key) {
            Some(found) => self.parse(&found),
            None => self.missing(key),
        }
    }

    /// A setting that may be absent. `None` when it is absent or (with a recorded mistake) unreadable.
    pub fn optional<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<T> {
        self.find(key).and_then(|found| self.parse(&found))
    }

    /// A setting with a default. The reason for the default belongs beside the call.
    pub fn or<T: FromStr<Err: Display>>(&mut self, key: &str, default: T) -> T {
        self.optional(key).unwrap_or(default)
    }

    /// A number with a default and the range in which it makes sense.
    pub fn or_within<T>(&mut self, key: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: FromStr<Err: Display> + PartialOrd + Display,
    {
        match self.optional::<T>(key) {
            Some(value) if range.contains(&value) => value,
            Some(value) => {
                let name = self.name(key);
                self.mistake(format!("{name}: {value} is outside {} to {}", range.start(), range.end()));
                default
            }
            None => default,
        }
    }

    /// A time span given in whole seconds, with a default and limits in seconds.
    pub fn seconds(&mut self, key: &str, default: u64, range: RangeInclusive<u64>) -> Duration {
        Duration::from_secs(self.or_within(key, default, range))
    }

    /// A secret that must be there. Its value shows in no error and no `Debug`.
    pub fn secret(&mut self, key: &str) -> Option<SecretString> {
        match self.find(key) {
            Some(found) => Some(found.value),
            None => self.missing(key),
        }
    }

    /// A secret that may be absent.
    pub fn optional_secret(&mut self, key: &str) -> Option<SecretString> {
        self.find(key).map(|found| found.value)
    }

    /// The content of the file whose path is the setting (certificates, key files); `None` when it is not set or
    /// (with a recorded mistake) unreadable.
    pub fn optional_bytes(&mut self, key: &str) -> Option<Vec<u8>> {
        let path: PathBuf = self.optional(key)?;
        match std::fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let name = self.name(key);
                self.mistake(format!("{name}: {}: {error}", path.display()));
                None
            }
        }
    }

    /// Records a mistake that only the caller can see, such as two settings that exclude each other.
    pub fn mistake(&mut self, line: impl Into<String>) {
        self.mistakes.push(line.into());
    }

    /// The full name of `key`, for messages: `EDUHUB_REGISTRY_LISTEN`.
    pub fn name(&self, key: &str) -> String {
        format!("{}_{key}", self.prefix)
    }

    /// Ends reading: the configuration that `build` makes, or all mistakes.
    ///
    /// A key in the file's table for this service that nobody asked for is a mistake as well: it is a misspelt one.
    /// `build` runs only when there are none, so every required value is there and `?` passes.
    ///
    /// # Errors
    /// [`Mistakes`], one line each.
    pub fn finish<C>(mut self, build: impl FnOnce() -> Option<C>) -> Result<C, Mistakes> {
        let unknown: Vec<_> =
            self.file.own.keys().filter(|key| !self.asked.contains(*key)).cloned().collect();
        for key in unknown {
            self.mistake(format!("{}: no such setting (in the file)", self.name(&key)));
        }
        if !self.mistakes.is_empty() {
            return Err(Mistakes(self.mistakes));
        }
        build().ok_or_else(|| Mistakes(vec!["a setting was left out by the program".to_owned()]))
    }

    fn find(&mut self, key: &str) -> Option<Found> {
        let by_path = format!("{key}_FILE");
        self.asked.insert(key.to_owned());
        self.asked.insert(by_path.clone());
        let (prefix, env, file) = (self.prefix.as_str(), &self.env, &self.file);
        let places = [(prefix, true), (SHARED, true), (prefix, false), (SHARED, false)];
        let found = places.into_iter().find_map(|(prefix, in_env)| {
            let look = |key: &str| {
                let name = format!("{prefix}_{key}");
                let table = if prefix == SHARED { &file.shared } else { &file.own };
                let value = if in_env { env.get(&name) } else { table.get(key) }?;
                (!value.is_empty()).then(|| (name, value.clone()))
            };
            look(key).map(|found| (found, false)).or_else(|| look(&by_path).map(|found| (found, true)))
        });
        let ((name, value), is_path) = found?;
        if !is_path {
            return Some(Found { name, value: value.into() });
        }
        match std::fs::read_to_string(&value) {
            // Editors and `kubectl create secret` leave a newline at the end.
            Ok(content) => Some(Found { name, value: content.trim_end_matches(['\r', '\n']).into() }),
            Err(error) => {
                self.mistake(format!("{name}: {value}: {error}"));
                // Found, so not missing as well: the empty value never leaves, since finish() fails.
                Some(Found { name, value: String::new().into() })
            }
        }
    }

    fn parse<T: FromStr<Err: Display>>(&mut self, found: &Found) -> Option<T> {
        match found.value.expose_secret().trim().parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.mistake(format!("{}: {error}", found.name));
                None
            }
        }
    }

    fn missing<T>(&mut self, key: &str) -> Option<T> {
        let name = self.name(key);
        self.mistake(format!("{name} (or {SHARED}_{key}, or either with _FILE) is not set"));
        None
    }
}
