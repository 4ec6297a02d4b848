//! Looks at a deployment from outside, end to end, and says in words what is wrong with it.
//!
//! Each check is one [`Finding`] with a stable code. What a check needs and has not got (a role, an address) makes it skipped, not
//! failed. Nothing is changed and nothing of a person is read.

mod access;
mod feed;
mod ministry;
mod reach;
mod service;

use crate::server::{Server, Session};
use eduhub_runtime::client::ClientTls;
use futures::future::join_all;
use std::time::Duration;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Well,
    /// Not looked at; the text says what it needs.
    Skipped,
    /// It works, and will not for long or not well.
    Warning,
    /// It does not work.
    Broken,
}

/// One check of one place.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How it went.
    pub level: Level,
    /// Where: `identity`, `registry` ..., `feed`.
    pub place: String,
    /// Stable name of what was found, e.g. `TLS_UNTRUSTED`.
    pub code: &'static str,
    /// What it means and what to do.
    pub text: String,
}

impl Finding {
    fn new(level: Level, place: &str, code: &'static str, text: impl Into<String>) -> Self {
        Self { level, place: place.to_owned(), code, text: text.into() }
    }
}

/// A service and where it is said to be.
#[derive(Clone, Debug)]
pub struct Target {
    /// Short name: identity, registry, facility, approval, bridge.
    pub name: &'static str,
    /// Address; `None`: not told.
    pub url: Option<String>,
}

/// Looks at everything. `session` is how the sign-in went; `None` when there are no credentials. With `within` only at the
/// deployment itself, not at the Ministry behind it.
pub async fn examine(
    targets: &[Target],
    tls: &ClientTls,
    session: Option<Result<Session, tonic::Status>>,
    within: bool,
) -> Vec<Finding> {
    let mut findings = reach::authority(tls);
    let signed_in = session.as_ref().and_then(|s| s.as_ref().ok()).cloned();
    let looks = targets.iter().map(|target| one(target, tls, signed_in.as_ref()));
    findings.extend(join_all(looks).await.into_iter().flatten());
    findings.extend(access::signed_in(session.as_ref()));
    for name in ["registry", "facility", "bridge"] {
        if name == "bridge" && within {
            continue;
        }
        let url = targets.iter().find(|t| t.name == name).and_then(|t| t.url.clone());
        let answers = !findings.iter().any(|f| f.place == name && f.level == Level::Broken);
        if let (Some(url), Some(session), true) = (url, &signed_in, answers) {
            let server = Server::new(url, tls.clone(), session.clone());
            findings.push(match name {
                "bridge" => ministry::look(&server).await,
                name => feed::look(name, &server).await,
            });
        }
    }
    findings
}

/// A service from the outermost to the innermost; what can't be reached is not asked.
async fn one(target: &Target, tls: &ClientTls, session: Option<&Session>) -> Vec<Finding> {
    let name = target.name;
    let Some(url) = &target.url else {
        let text = format!("no address: give --{name}-url or EDUHUB_{}_URL", name.to_uppercase());
        return vec![Finding::new(Level::Skipped, name, "NO_ADDRESS", text)];
    };
    let mut findings = reach::look(name, url, tls).await;
    if findings.iter().any(|f| f.level == Level::Broken) {
        return findings;
    }
    findings.extend(service::health(name, url, tls).await);
    if let Some(session) = session {
        findings.push(access::accepted(name, &Server::new(url, tls.clone(), session.clone())).await);
    }
    findings
}
