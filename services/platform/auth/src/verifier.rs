//! Checks access tokens without asking anybody.
use crate::keys::KeySet;
use crate::revocation::{Revoked, STALE, Trust, Watch};
use crate::{AUDIENCE, Caller, Claims, ISSUER, IdentityTrust, LEEWAY, MAX_LIFE, TrustSource};
use aws_lc_rs::digest::{SHA256, digest};
use eduhub_faults::{Fault, Reason};
use eduhub_runtime::{client::GrpcChannel, deadline};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation};
use moka::future::Cache;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// With calls of 5 s at most, a revocation is known everywhere well within 60 s.
const POLL: Duration = Duration::from_secs(15);
/// Between failed polls: quick while nothing is known yet.
const RETRY: Duration = Duration::from_secs(1);
/// How long the first calls after a start wait for the first keys.
const FIRST_CONTACT: Duration = Duration::from_secs(2);
/// Unknown key ids, which anybody can send, lead to one look at identity in this time.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(10);
/// Longer than any token of ours.
const MAX_TOKEN_BYTES: usize = 8192;
/// Verdicts kept: one verification costs as much as three calls, and callers reuse a token for minutes.
const VERDICTS: u64 = 10_000;

/// Verifies access tokens with keys and revocations that it keeps up to date. Cheap to clone.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    verdicts: Cache<[u8; 32], Arc<Verdict>>,
    validation: Validation,
    poller: JoinHandle<()>,
}

struct Shared {
    source: Box<dyn TrustSource>,
    trust: watch::Sender<Trust>,
    unknown_key: Mutex<Option<Instant>>,
}

struct Verdict {
    caller: Arc<Caller>,
    /// When the token ends, seconds since 1970.
    ends: i64,
    key_id: String,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.poller.abort();
    }
}

impl Verifier {
    /// Trusts what identity publishes on this channel; asks now and every 15 s, in a task that ends with the last clone.
    pub fn start(identity: GrpcChannel) -> Self {
        Self::with_source(IdentityTrust::new(identity))
    }

    /// As [`Verifier::start`], from any source.
    pub fn with_source(source: impl TrustSource) -> Self {
        let trust = watch::Sender::new(Trust::default());
        let shared = Arc::new(Shared { source: Box::new(source), trust, unknown_key: Mutex::new(None) });
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        validation.leeway = LEEWAY.as_secs();
        let poller = tokio::spawn(poll(shared.clone()));
        let verdicts = Cache::builder().max_capacity(VERDICTS).time_to_live(MAX_LIFE + LEEWAY).build();
        Self(Arc::new(Inner { shared, verdicts, validation, poller }))
    }

    /// Whether keys and revocations are there and not older than 60 s: for readiness and metrics. A verifier that is not
    /// fresh still answers, see the crate's documentation.
    pub fn is_fresh(&self) -> bool {
        let trust = self.0.shared.trust.borrow();
        let fresh = |at: Option<Instant>| at.is_some_and(|at| at.elapsed() < STALE);
        fresh(trust.keys_at) && fresh(trust.revoked_at)
    }

    /// Resolves when keys and revocations have come for the first time.
    pub async fn ready(&self) {
        // Fails only when the sender is gone, and this verifier holds it.
        let _ = self.0.shared.trust.subscribe().wait_for(Trust::is_complete).await;
    }

    /// Asks the source now instead of at the next poll: for whoever just changed it.
    ///
    /// # Errors
    /// The source's.
    pub async fn refresh(&self) -> Result<(), Fault> {
        self.0.shared.refresh().await
    }

    /// The caller that a token speaks for.
    ///
    /// # Errors
    /// UNAUTHENTICATED/UNAUTHENTICATED, PERMISSION_DENIED/GRANT_REVOKED, UNAVAILABLE/UNAVAILABLE before identity was reached
    /// for the first time.
    pub async fn verify(&self, token: &str) -> Result<Arc<Caller>, Fault> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(invalid("the access token is too long"));
        }
        self.first_contact().await?;
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let verdict = match self.known(&hash).await {
            Some(verdict) => verdict,
            None => {
                let verdict = Arc::new(self.decode(token).await?);
                self.0.verdicts.insert(hash, verdict.clone()).await;
                verdict
            }
        };
        let caller = verdict.caller.clone();
        // Not cached: a revocation counts from the moment it is known.
        let revoked = self.0.shared.trust.borrow().revoked.covers(caller.grant, &caller.sub);
        if revoked {
            return Err(Fault::new(Reason::GrantRevoked));
        }
        Ok(caller)
    }

    /// Waits a little for the first keys and revocations: services start in any order.
    async fn first_contact(&self) -> Result<(), Fault> {
        if self.0.shared.trust.borrow().is_complete() {
            return Ok(());
        }
        let patience = deadline::remaining().map_or(FIRST_CONTACT, |left| left.min(FIRST_CONTACT));
        tokio::time::timeout(patience, self.ready()).await.map_err(|_| {
            Fault::new(Reason::Unavailable).detail("identity was not reached yet").retry_after(RETRY)
        })
    }

    /// A cached verdict, unless the token has ended or its key was withdrawn since.
    async fn known(&self, hash: &[u8; 32]) -> Option<Arc<Verdict>> {
        let verdict = self.0.verdicts.get(hash).await?;
        let alive = now() < verdict.ends.saturating_add(leeway());
        let trusted = self.0.shared.trust.borrow().keys.get(&verdict.key_id).is_some();
        if alive && trusted {
            return Some(verdict);
        }
        self.0.verdicts.invalidate(hash).await;
        None
    }

    async fn decode(&self, token: &str) -> Result<Verdict, Fault> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid("not an access token"))?;
        // `decode` checks the algorithm as well; here it saves the look for the key.
        if header.alg != Algorithm::ES256 {
            return Err(invalid("the algorithm is not ES256"));
        }
        let key_id = header.kid.ok_or_else(|| invalid("the token names no key"))?;
        let keys = self.keys_with(&key_id).await;
        let key = keys.get(&key_id).ok_or_else(|| invalid("the key is not known"))?;
        let data = jsonwebtoken::decode::<Claims>(token, key, &self.0.validation);
        let claims = data.map_err(|error| explain(error.kind()))?.claims;
        let (issued, ends) = (claims.iat, claims.exp);
        let longest = i64::try_from(MAX_LIFE.as_secs()).unwrap_or(i64::MAX);
        if issued > now().saturating_add(leeway()) || ends.saturating_sub(issued) > longest {
            return Err(invalid("the token's times are not those of an access token"));
        }
        let caller = Arc::new(Caller::new(claims, Watch(self.0.shared.trust.subscribe())));
        Ok(Verdict { caller, ends, key_id })
    }

    /// The keys; asks identity once when this id is not among them, since it may be newer than the last poll.
    async fn keys_with(&self, key_id: &str) -> Arc<KeySet> {
        let keys = self.0.shared.trust.borrow().keys.clone();
        if keys.get(key_id).is_some() {
            return keys;
        }
        let mut last = self.0.shared.unknown_key.lock().await;
        let may_ask = last.is_none_or(|at| at.elapsed() >= UNKNOWN_KEY_PAUSE);
        if may_ask {
            *last = Some(Instant::now());
            if let Err(fault) = self.0.shared.refresh_keys().await {
                tracing::warn!(%fault, "keys could not be fetched for an unknown key id");
            }
        }
        self.0.shared.trust.borrow().keys.clone()
    }
}

impl Trust {
    fn is_complete(&self) -> bool {
        self.keys_at.is_some() && self.revoked_at.is_some()
    }
}

impl Shared {
    async fn refresh(&self) -> Result<(), Fault> {
        // Both are tried even when one fails.
        let keys = self.refresh_keys().await;
        self.refresh_revocations().await?;
        keys
    }

    async fn refresh_keys(&self) -> Result<(), Fault> {
        let keys = KeySet::new(&self.source.keys().await?);
        if keys.is_empty() {
            return Err(Fault::new(Reason::Unavailable).detail("identity published no usable key"));
        }
        self.trust.send_modify(|trust| {
            trust.keys = Arc::new(keys);
            trust.keys_at = Some(Instant::now());
        });
        Ok(())
    }

    async fn refresh_revocations(&self) -> Result<(), Fault> {
        // As of the question, not of the answer: what is revoked in between is not in it.
        let asked_at = Instant::now();
        let mut revoked: Revoked = self.trust.borrow().revoked.as_ref().clone();
        loop {
            let page = self.source.revocations(revoked.sequence).await?;
            let before = revoked.sequence;
            page.revocations.iter().for_each(|entry| revoked.add(entry));
            if !page.has_more || revoked.sequence == before {
                break;
            }
        }
        self.trust.send_modify(|trust| {
            if revoked.sequence >= trust.revoked.sequence {
                trust.revoked = Arc::new(revoked);
            }
            trust.revoked_at = Some(asked_at);
        });
        Ok(())
    }
}

async fn poll(shared: Arc<Shared>) {
    let mut failing = false;
    loop {
        let outcome = shared.refresh().await;
        // Said once when it starts and once when it ends.
        match &outcome {
            Err(fault) if !failing => tracing::warn!(%fault, "keys or revocations could not be refreshed"),
            Ok(()) if failing => tracing::info!("keys and revocations are fresh again"),
            _ => {}
        }
        failing = outcome.is_err();
        tokio::time::sleep(if failing { RETRY } else { POLL }).await;
    }
}

fn explain(kind: &ErrorKind) -> Fault {
    match kind {
        ErrorKind::ExpiredSignature => invalid("the access token has expired").meta("expired", true),
        ErrorKind::InvalidAudience | ErrorKind::InvalidIssuer => invalid("the token is not for EduHub"),
        _ => invalid("the access token is not valid"),
    }
}

fn invalid(detail: &str) -> Fault {
    Fault::new(Reason::Unauthenticated).detail(detail)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn leeway() -> i64 {
    i64::try_from(LEEWAY.as_secs()).unwrap_or(0)
}
