use std::fmt;

use eduhub_runtime::config::Reader;
use redis::TlsCertificates;
use secrecy::ExposeSecret;

use crate::address::Address;
use crate::form::Form;

/// The settings' names, for what is said of them.
const URL: &str = "REDIS_URL";
const CA: &str = "REDIS_CA";

/// How Redis is reached: one address, Sentinels or a cluster, in the clear or through TLS. Nothing is connected yet.
#[derive(Clone)]
pub struct RedisSettings {
    pub(crate) form: Form,
    tls: bool,
}

/// Everything that is wrong with the settings, without any value of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisMistakes(Vec<(&'static str, String)>);

impl RedisSettings {
    /// Reads `REDIS_URL`, a secret, and `REDIS_CA`, the path of the authorities that a `rediss` server's certificate is
    /// verified with (PEM; absent: the system's). `None` without a URL, or, with recorded mistakes, for a wrong one.
    ///
    /// | URL | leads to |
    /// |---|---|
    /// | `redis://[user:password@]host[:6379][/db]` | one server |
    /// | `redis+sentinel://[user:password@]host[:26379],.../name[/db][?sentinel_user=..&sentinel_password=..]` | the primary that Sentinels call `name` |
    /// | `redis+cluster://[user:password@]host[:6379],...` | the cluster that these are nodes of |
    ///
    /// `rediss` for `redis` in each: TLS to every server, the Sentinels too.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let ca = r.optional_bytes("REDIS_CA");
        let url = r.optional_secret("REDIS_URL")?;
        match Self::parse(url.expose_secret(), ca.as_deref()) {
            Ok(settings) => Some(settings),
            Err(RedisMistakes(mistakes)) => {
                for (key, what) in mistakes {
                    let name = r.name(key);
                    r.mistake(format!("{name}: {what}"));
                }
                None
            }
        }
    }

    /// Passes over the settings, for programs that do not need them but may find them in a file of settings.
    pub fn skip(r: &mut Reader) {
        r.optional_secret("REDIS_URL");
        r.optional_secret("REDIS_CA");
    }

    /// As [`RedisSettings::read`], of a URL and the authorities' certificates.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn parse(url: &str, ca_pem: Option<&[u8]>) -> Result<Self, RedisMistakes> {
        // Before the first handshake; rustls would not know which provider to take.
        eduhub_runtime::install_crypto_provider();
        let mut mistakes = Vec::new();
        let address =
            Address::parse(url).map_err(|found| mistakes.extend(found.into_iter().map(|what| (URL, what))));
        if ca_pem.is_some_and(|pem| !is_pem(pem)) {
            mistakes.push((CA, "holds no certificate in PEM".to_owned()));
        }
        if ca_pem.is_some() && address.as_ref().is_ok_and(|address| !address.tls) {
            mistakes.push((CA, "is set, but the URL is without TLS: it would start with rediss".to_owned()));
        }
        let certificates =
            ca_pem.map(|pem| TlsCertificates { client_tls: None, root_cert: Some(pem.to_vec()) });
        match address {
            Ok(address) if mistakes.is_empty() => {
                let tls = address.tls;
                match Form::of(address, certificates) {
                    Ok(form) => Ok(Self { form, tls }),
                    // All else was tried above.
                    Err(_) => {
                        Err(RedisMistakes(vec![(CA, "holds a certificate that can't be read".to_owned())]))
                    }
                }
            }
            _ => Err(RedisMistakes(mistakes)),
        }
    }
}

fn is_pem(bytes: &[u8]) -> bool {
    const MARK: &[u8] = b"-----BEGIN CERTIFICATE-----";
    bytes.windows(MARK.len()).any(|part| part == MARK)
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings").field("form", &self.form.name()).field("tls", &self.tls).finish()
    }
}

impl fmt::Display for RedisMistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(|(key, what)| format!("{key}: {what}")).collect();
        f.write_str(&lines.join("; "))
    }
}

impl std::error::Error for RedisMistakes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_of_both_settings_are_told_at_once_under_their_names() {
        let dir = tempfile::tempdir().unwrap();
        let ca = dir.path().join("ca.pem");
        std::fs::write(&ca, "no certificate").unwrap();
        let url = "redis+sentinel://:geheim@one,two:x";
        let pairs = [("EDUHUB_REDIS_URL", url), ("EDUHUB_REDIS_CA", ca.to_str().unwrap())];
        let mut r = Reader::from_pairs("EDUHUB_REGISTRY", pairs);
        assert!(RedisSettings::read(&mut r).is_none());
        let mistakes = r.finish(|| Some(())).unwrap_err();
        let lines = mistakes.lines();
        assert_eq!(lines.len(), 3, "{mistakes}");
        assert!(lines[0].starts_with("EDUHUB_REGISTRY_REDIS_URL: after the hosts"), "{mistakes}");
        assert!(lines[1].starts_with("EDUHUB_REGISTRY_REDIS_URL: host 2"), "{mistakes}");
        assert!(lines[2].starts_with("EDUHUB_REGISTRY_REDIS_CA: holds no"), "{mistakes}");
        assert!(!mistakes.to_string().contains("geheim"));
    }

    #[test]
    fn an_authority_without_tls_and_a_broken_one_are_mistakes() {
        let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for url in ["redis://h", "redis+sentinel://h/m", "redis+cluster://h"] {
            let text = RedisSettings::parse(url, Some(pem)).unwrap_err().to_string();
            assert!(text.contains("REDIS_CA: is set"), "{url}: {text}");
            let tls = url.replacen("redis", "rediss", 1);
            let text = RedisSettings::parse(&tls, Some(pem)).unwrap_err().to_string();
            assert!(text.contains("can't be read"), "{tls}: {text}");
            RedisSettings::parse(&tls, None).unwrap();
        }
    }

    #[test]
    fn debugging_shows_no_secret_and_absence_is_no_mistake() {
        let shown = format!("{:?}", RedisSettings::parse("redis+cluster://u:geheim@h", None).unwrap());
        assert!(shown.contains("cluster") && !shown.contains("geheim"), "{shown}");
        let mut r = Reader::from_pairs("EDUHUB_REGISTRY", [("EDUHUB_LISTEN", "x")]);
        assert!(RedisSettings::read(&mut r).is_none());
        r.finish(|| Some(())).unwrap();
    }
}
