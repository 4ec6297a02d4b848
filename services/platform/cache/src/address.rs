//! What a Redis URL says. Mistakes never quote the URL: when it is misread, a part of the password may stand anywhere in it.
use redis::{ConnectionInfo, IntoConnectionInfo};
use std::net::Ipv6Addr;

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
const FORMS: &str = "it starts with none of redis://, redis+sentinel://, redis+cluster:// and, for TLS, rediss://, \
                     rediss+sentinel://, rediss+cluster://";

/// A URL that can be used.
pub(crate) struct Address {
    pub(crate) kind: Kind,
    pub(crate) tls: bool,
    /// Each host with the user, the password and the database of the URL.
    pub(crate) nodes: Vec<ConnectionInfo>,
}

pub(crate) enum Kind {
    One,
    Sentinel(Watched),
    Cluster,
}

/// What Sentinels are asked for.
#[derive(Default)]
pub(crate) struct Watched {
    /// Name of the primary, as in `sentinel monitor <name>`.
    pub(crate) name: String,
    /// User and password of the Sentinels themselves, which need not be those of Redis.
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

/// The parts of a URL, cut but not yet understood.
struct Parts<'a> {
    /// `user:password`, percent-encoded.
    credentials: Option<&'a str>,
    hosts: &'a str,
    /// What stands after the hosts, without slashes at the ends.
    path: &'a str,
    query: &'a str,
}

impl Address {
    /// `redis[s][+sentinel|+cluster]://[user:password@]host[:port][,...][/name][/db][?sentinel_user=&sentinel_password=]`,
    /// or everything that is wrong with it.
    pub(crate) fn parse(url: &str) -> Result<Self, Vec<String>> {
        let Some((scheme, rest)) = url.split_once("://") else { return Err(vec![FORMS.to_owned()]) };
        let (transport, form) = scheme.split_once('+').unwrap_or((scheme, ""));
        let (kind, port) = match form {
            "" if !scheme.contains('+') => (Kind::One, REDIS_PORT),
            "sentinel" => (Kind::Sentinel(Watched::default()), SENTINEL_PORT),
            "cluster" => (Kind::Cluster, REDIS_PORT),
            _ => return Err(vec![FORMS.to_owned()]),
        };
        if !matches!(transport, "redis" | "rediss") {
            return Err(vec![FORMS.to_owned()]);
        }
        let mut mistakes = Vec::new();
        let parts = Parts::cut(rest, &mut mistakes);
        let (kind, db) = parts.understand(kind, &mut mistakes);
        let hosts = parts.hosts(port, &mut mistakes);
        if matches!(kind, Kind::One) && hosts.len() > 1 {
            mistakes.push(
                "several hosts stand only in redis+sentinel:// and redis+cluster://, and a comma in a password is %2C"
                    .into(),
            );
        }
        let credentials = parts.credentials.map(|text| format!("{text}@")).unwrap_or_default();
        let nodes: Result<Vec<_>, _> = hosts
            .iter()
            .map(|host| format!("{transport}://{credentials}{host}/{db}").into_connection_info())
            .collect();
        match nodes {
            Ok(nodes) if mistakes.is_empty() => {
                return Ok(Self { kind, tls: transport == "rediss", nodes });
            }
            Err(_) => mistakes.push(
                "user and password must be percent-encoded UTF-8, and no host the wildcard address".into(),
            ),
            Ok(_) => {}
        }
        Err(mistakes)
    }
}

impl<'a> Parts<'a> {
    fn cut(rest: &'a str, mistakes: &mut Vec<String>) -> Self {
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        if !fragment.is_empty() {
            mistakes.push(
                "nothing may follow a #, and certificates are always verified (a # in a password is %23)"
                    .into(),
            );
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        Self { credentials, hosts, path: path.trim_matches('/'), query }
    }

    /// The path and the query by the rules of `kind`; gives the database.
    fn understand(&self, kind: Kind, mistakes: &mut Vec<String>) -> (Kind, u32) {
        let (kind, db) = match kind {
            Kind::Sentinel(_) => {
                let (name, db) = self.path.split_once('/').unwrap_or((self.path, ""));
                if name.is_empty() {
                    mistakes.push("after the hosts stands the name of the primary: redis+sentinel://host:26379/mymaster".into());
                }
                let mut watched = Watched { name: name.to_owned(), ..Watched::default() };
                self.read_query(Some(&mut watched), mistakes);
                (Kind::Sentinel(watched), db)
            }
            other => {
                self.read_query(None, mistakes);
                (other, self.path)
            }
        };
        let number = if db.is_empty() { Ok(0) } else { db.parse::<u32>() };
        match (&kind, &number) {
            (_, Err(_)) => {
                mistakes.push("the database at its end is not a number (a / in a password is %2F)".into())
            }
            (Kind::Cluster, Ok(1..)) => mistakes.push("a cluster has database 0 alone".into()),
            _ => {}
        }
        (kind, number.unwrap_or_default())
    }

    fn read_query(&self, mut watched: Option<&mut Watched>, mistakes: &mut Vec<String>) {
        // A plus in a query means a space in forms of web pages, and nobody's password is written by one.
        let url = format!("redis://query/?{}", self.query.replace('+', "%2B"));
        let Some(url) = redis::parse_redis_url(&url) else { return };
        for (key, value) in url.query_pairs() {
            let value = Some(value.into_owned());
            match (&*key, watched.as_deref_mut()) {
                ("sentinel_user", Some(watched)) => watched.user = value,
                ("sentinel_password", Some(watched)) => watched.password = value,
                _ => mistakes.push(
                    "after a ? stand only sentinel_user and sentinel_password, in redis+sentinel:// \
                     (a ? in a password is %3F)"
                        .into(),
                ),
            }
        }
    }

    /// Each host with its port, or the number of the one that is wrong.
    fn hosts(&self, default: u16, mistakes: &mut Vec<String>) -> Vec<String> {
        let mut good = Vec::new();
        for (index, host) in self.hosts.split(',').enumerate() {
            match host_and_port(host, default) {
                Ok(host) => good.push(host),
                Err(why) => mistakes.push(format!("host {}: {why}", index + 1)),
            }
        }
        good
    }
}

fn host_and_port(text: &str, default: u16) -> Result<String, &'static str> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, port) = rest.split_once(']').ok_or("its [ is not closed")?;
            inner.parse::<Ipv6Addr>().map_err(|_| "no IPv6 address stands in its [ ]")?;
            (&text[..inner.len() + 2], port.strip_prefix(':').or((!port.is_empty()).then_some("?")))
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let known = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if host.is_empty() {
        return Err("is empty");
    }
    if !host.starts_with('[') && !host.chars().all(known) {
        return Err("is neither a name nor an address");
    }
    let port = match port.map(str::parse::<u16>) {
        None => default,
        Some(Ok(port @ 1..)) => port,
        Some(_) => return Err("its port is not a number of 1 to 65535"),
    };
    Ok(format!("{host}:{port}"))
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
