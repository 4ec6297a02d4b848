//! What is revoked, and how open streams learn of it.
use crate::keys::KeySet;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::identity::v1::{Revocation, RevocationKind};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

/// A stream whose token has ended goes on only while revocations are not older than this (design section 5: revoking ends
/// open streams within a minute).
pub(crate) const STALE: Duration = Duration::from_secs(60);

/// Grants and principals that have ended. Ends are final, so the set only grows; one entry is 16 bytes and an end is rare.
#[derive(Debug, Default, Clone)]
pub(crate) struct Revoked {
    grants: HashSet<Uuid>,
    principals: HashSet<String>,
    /// Highest sequence seen.
    pub(crate) sequence: i64,
}

impl Revoked {
    pub(crate) fn add(&mut self, entry: &Revocation) {
        match entry.kind() {
            RevocationKind::Grant => drop(entry.id.parse().map(|id| self.grants.insert(id))),
            RevocationKind::Principal => drop(self.principals.insert(entry.id.clone())),
            // Of a newer identity; a kind that this build can't match can't be honoured here either.
            RevocationKind::Unspecified => {
                tracing::warn!(sequence = entry.sequence, "unknown kind of revocation")
            }
        }
        self.sequence = self.sequence.max(entry.sequence);
    }

    pub(crate) fn covers(&self, grant: Option<Uuid>, principal: &str) -> bool {
        grant.is_some_and(|id| self.grants.contains(&id)) || self.principals.contains(principal)
    }
}

/// What the verifier trusts at this moment.
#[derive(Clone, Default)]
pub(crate) struct Trust {
    pub(crate) keys: Arc<KeySet>,
    pub(crate) revoked: Arc<Revoked>,
    /// When the keys were last confirmed; `None`: never had any.
    pub(crate) keys_at: Option<Instant>,
    /// When the revocations were last complete; `None`: never.
    pub(crate) revoked_at: Option<Instant>,
}

/// Lets a stream wait for its end.
#[derive(Clone)]
pub(crate) struct Watch(pub(crate) watch::Receiver<Trust>);

impl Watch {
    /// See [`crate::Caller::revoked`].
    pub(crate) async fn ended(
        self,
        grant: Option<Uuid>,
        principal: String,
        token_end: OffsetDateTime,
        grant_end: Option<OffsetDateTime>,
    ) -> Fault {
        let mut revoked = self.0.clone();
        let revoked = async {
            let found = revoked.wait_for(|trust| trust.revoked.covers(grant, &principal)).await.is_ok();
            if !found {
                std::future::pending::<()>().await; // the verifier is gone: the process is ending
            }
        };
        let period = async {
            match grant_end {
                Some(end) => tokio::time::sleep(until(end)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = revoked => Fault::new(Reason::GrantRevoked),
            () = period => Fault::new(Reason::GrantRevoked).detail("the period of the grant is over"),
            () = self.unconfirmed(token_end) => Fault::new(Reason::Unavailable)
                .detail("nobody could confirm for 60 s that the grant stands")
                .retry_after(Duration::from_secs(5)),
        }
    }

    async fn unconfirmed(&self, token_end: OffsetDateTime) {
        tokio::time::sleep(until(token_end)).await;
        loop {
            let Some(confirmed) = self.0.borrow().revoked_at else { return };
            let stale = confirmed + STALE;
            if stale <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(stale).await;
        }
    }
}

fn until(end: OffsetDateTime) -> Duration {
    Duration::try_from(end - OffsetDateTime::now_utc()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant_revocation(id: Uuid) -> Revocation {
        Revocation { sequence: 7, kind: RevocationKind::Grant as i32, id: id.to_string(), revoked_at: None }
    }

    #[test]
    fn covers_only_what_was_revoked() {
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        let mut revoked = Revoked::default();
        revoked.add(&grant_revocation(one));
        assert!(revoked.covers(Some(one), "p"));
        assert!(!revoked.covers(Some(other), "p"));
        assert!(!revoked.covers(None, &one.to_string()), "a grant's id is not a principal's");
        assert_eq!(revoked.sequence, 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_when_its_grant_does_and_not_before() {
        let id = Uuid::now_v7();
        let (sender, receiver) =
            watch::channel(Trust { revoked_at: Some(Instant::now()), ..Trust::default() });
        let hour = OffsetDateTime::now_utc() + time::Duration::hours(1);
        let ended = Watch(receiver).ended(Some(id), "p".into(), hour, None);
        tokio::pin!(ended);
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut ended).await.is_err());
        sender.send_modify(|trust| Arc::make_mut(&mut trust.revoked).add(&grant_revocation(id)));
        assert_eq!(ended.await.reason(), Reason::GrantRevoked);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_outlives_its_token_only_while_revocations_are_fresh() {
        let (sender, receiver) =
            watch::channel(Trust { revoked_at: Some(Instant::now()), ..Trust::default() });
        let soon = OffsetDateTime::now_utc() + time::Duration::seconds(10);
        let started = Instant::now();
        let ended = Watch(receiver).ended(None, "p".into(), soon, None);
        tokio::pin!(ended);
        assert!(tokio::time::timeout(Duration::from_secs(50), &mut ended).await.is_err());
        sender.send_modify(|trust| trust.revoked_at = Some(Instant::now()));
        assert_eq!(ended.await.reason(), Reason::Unavailable);
        assert_eq!(started.elapsed().as_secs(), 110);
    }
}
