//! The subscription RPCs, the same in every service that has a feed.
use super::{
    model::{LIMIT, Lag, Named, Stored},
    store,
};
use crate::{head::Feed, reach::Reach, scope::Asked, stream::refuse};
use eduhub_auth::{Caller, Gate};
use eduhub_changelog::{Cursor, FeedIdentity, Position, RecordSet};
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::to_proto;
use eduhub_pg::{DbError, in_tx};
use eduhub_proto::common::v1::{
    AcknowledgeRequest, CreateSubscriptionRequest, DeleteSubscriptionRequest, DeleteSubscriptionResponse,
    GetSubscriptionRequest, ListSubscriptionsRequest, Subscription, SubscriptionPage,
};
use sqlx::{Postgres, pool::PoolConnection};
use std::time::Duration;

/// Longest transaction here.
const BRIEF: Duration = Duration::from_secs(5);
/// Tries to move a subscription that others move, too.
const ACKNOWLEDGEMENTS: u32 = 5;
/// Subscriptions in one answer.
const PAGE: i64 = 100;
/// The same at most.
const LARGEST_PAGE: i64 = 500;

impl<S: RecordSet> Feed<S> {
    /// What a stored subscription follows, and its cursor.
    ///
    /// # Errors
    /// NOT_FOUND/NOT_FOUND.
    pub(crate) async fn subscribed(&self, of: &Named) -> Result<(Asked, Vec<u8>), Fault> {
        let stored = store::get(&mut *self.conn().await?, of).await?;
        stored.map(|s| (s.asked, s.cursor)).ok_or_else(|| Fault::new(Reason::NotFound))
    }

    pub(crate) async fn create_subscription(
        &self,
        gate: &Gate,
        caller: &Caller,
        request: CreateSubscriptionRequest,
    ) -> Result<Subscription, Fault> {
        let of = Named::own(caller, &request.name);
        of.well_formed()?;
        let asked = Asked::new(request.kinds, request.school_codes);
        Reach { gate: gate.clone(), caller: caller.clone() }.open::<S>(&asked).await?;
        let position = self.position(&asked, &request.cursor).await?;
        let (wanted, named) = (asked.clone(), of.clone());
        let stored = in_tx::<_, DbError, _>(&self.pool, BRIEF, move |conn| {
            Box::pin(
                async move { store::create(conn, &named, &wanted, (&request.cursor, position), LIMIT).await },
            )
        })
        .await?;
        let stored = stored.ok_or_else(|| {
            Fault::new(Reason::Overloaded).detail("a principal has at most 20 subscriptions; delete one")
        })?;
        if stored.asked != asked {
            return Err(Fault::new(Reason::AlreadyExists).detail("the name is taken by another filter"));
        }
        self.shown(stored).await
    }

    pub(crate) async fn get_subscription(
        &self,
        caller: &Caller,
        request: GetSubscriptionRequest,
    ) -> Result<Subscription, Fault> {
        let of = Named::of(caller, &request.owner, &request.name)?;
        self.found(&of).await
    }

    pub(crate) async fn list_subscriptions(
        &self,
        caller: &Caller,
        request: ListSubscriptionsRequest,
    ) -> Result<SubscriptionPage, Fault> {
        if request.everybody {
            caller.require_role(&[eduhub_auth::Role::DepartmentAdmin])?;
        }
        let size = eduhub_paging::size(request.page_size, PAGE, LARGEST_PAGE)?;
        let filter = format!("subscriptions/{}/{}", caller.sub, request.everybody);
        let after = eduhub_paging::after(&filter, &request.page_token)?.unwrap_or_default();
        // A principal's id has no line break, nor has a name.
        let after = after.split_once('\n').unwrap_or_default();
        let owner = (!request.everybody).then_some(caller.sub.as_str());
        let mut held = self.conn().await?;
        let mut rows = store::list(&mut held, owner, after, size + 1).await?;
        let more = rows.len() as i64 > size;
        rows.truncate(usize::try_from(size).unwrap_or_default());
        let next_page_token = match rows.last() {
            Some(last) if more => eduhub_paging::token(&filter, &format!("{}\n{}", last.owner, last.name)),
            _ => String::new(),
        };
        let mut subscriptions = Vec::with_capacity(rows.len());
        for stored in rows {
            let lag = store::lag(&mut held, &stored).await?;
            subscriptions.push(to_message(stored, lag));
        }
        Ok(SubscriptionPage { subscriptions, next_page_token })
    }

    pub(crate) async fn acknowledge(
        &self,
        caller: &Caller,
        request: AcknowledgeRequest,
    ) -> Result<Subscription, Fault> {
        let of = Named::own(caller, &request.name);
        if request.cursor.is_empty() {
            // A name that is not there comes first, as everywhere.
            self.subscribed(&of).await?;
            return Err(Fault::invalid("cursor", "missing"));
        }
        // Another acknowledgement may come in between; it has moved the subscription then, and that a few times at most.
        for _ in 0..ACKNOWLEDGEMENTS {
            let stored = store::get(&mut *self.conn().await?, &of).await?;
            let stored = stored.ok_or_else(|| Fault::new(Reason::NotFound))?;
            let cursor = self.cursor(&stored.asked, &request.cursor).await?;
            let position = cursor.phase.resume();
            if !stored.is_passed_by(position, &cursor.ahead)
                || store::acknowledge(&mut *self.conn().await?, &stored, &request.cursor, position).await?
            {
                return self.found(&of).await;
            }
        }
        Err(Fault::new(Reason::Unavailable).detail("others acknowledge the same subscription"))
    }

    pub(crate) async fn delete_subscription(
        &self,
        caller: &Caller,
        request: DeleteSubscriptionRequest,
    ) -> Result<DeleteSubscriptionResponse, Fault> {
        let of = Named::of(caller, &request.owner, &request.name)?;
        store::delete(&mut *self.conn().await?, &of).await?;
        Ok(DeleteSubscriptionResponse {})
    }

    /// Where a cursor for this question stands; the start for none.
    async fn position(&self, asked: &Asked, cursor: &[u8]) -> Result<Position, Fault> {
        if cursor.is_empty() {
            return Ok(Position::START);
        }
        Ok(self.cursor(asked, cursor).await?.phase.resume())
    }

    async fn cursor(&self, asked: &Asked, bytes: &[u8]) -> Result<Cursor, Fault> {
        let feed = FeedIdentity::read(&mut *self.conn().await?).await?;
        Cursor::decode(bytes, &feed, asked.fingerprint()?).map_err(refuse)
    }

    async fn found(&self, of: &Named) -> Result<Subscription, Fault> {
        let stored = store::get(&mut *self.conn().await?, of).await?;
        self.shown(stored.ok_or_else(|| Fault::new(Reason::NotFound))?).await
    }

    async fn shown(&self, stored: Stored) -> Result<Subscription, Fault> {
        let lag = store::lag(&mut *self.conn().await?, &stored).await?;
        Ok(to_message(stored, lag))
    }

    async fn conn(&self) -> Result<PoolConnection<Postgres>, Fault> {
        Ok(self.pool.acquire().await.map_err(DbError::from)?)
    }
}

fn to_message(stored: Stored, lag: Lag) -> Subscription {
    Subscription {
        name: stored.name,
        owner: stored.owner,
        kinds: stored.asked.kinds.into_iter().collect(),
        school_codes: stored.asked.schools.into_iter().collect(),
        cursor: stored.cursor,
        created_at: Some(to_proto(stored.created_at)),
        acknowledged_at: stored.acknowledged_at.map(to_proto),
        pending_changes: u32::try_from(lag.entries).unwrap_or(u32::MAX),
        behind: Some(prost_types::Duration {
            seconds: lag.behind_ms / 1_000,
            nanos: i32::try_from(lag.behind_ms % 1_000 * 1_000_000).unwrap_or_default(),
        }),
        expired: lag.expired,
    }
}
