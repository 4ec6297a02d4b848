//! The routes of today, kept for a moment.

use std::time::Duration;

use eduhub_cache::Cache;
use eduhub_faults::{Fault, Reason};
use eduhub_pg::PgPool;
use eduhub_proto::approval::v1::ListRoutesResponse;
use time::{Date, OffsetDateTime};
use tonic::Status;

use super::model::{Route, Way, day_in_vietnam};
use super::{store, wire};
use crate::database;

/// Other replicas learn of a changed route in this time; the one that changed it, at once.
const KEEP: Duration = Duration::from_secs(30);
const KEY: &str = "routes";

/// Finds the route of a school.
#[derive(Clone)]
pub struct RouteBook {
    pool: PgPool,
    cache: Cache,
}

/// What a route is chosen by.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Number of the dataset.
    pub dataset: i16,
    /// Number of the level.
    pub level: i16,
    /// Whether the school stands directly under the Department.
    pub directly_managed: bool,
    /// Commune of the school.
    pub commune_code: &'a str,
}

/// A route as it applies to one school.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The route and its version.
    pub route: (uuid::Uuid, i64),
    /// Who decides.
    pub way: Way,
}

impl RouteBook {
    /// Reads routes from this pool.
    pub fn new(pool: PgPool, cache: Cache) -> Self {
        Self { pool, cache }
    }

    /// The way that a submission takes today.
    ///
    /// # Errors
    /// `NO_ROUTE`, `UNAVAILABLE`.
    pub async fn choose(&self, wanted: Wanted<'_>) -> Result<Chosen, Fault> {
        let today = day_in_vietnam(OffsetDateTime::now_utc());
        let routes = self.routes().await?;
        choose(&routes, wanted, today).ok_or_else(|| {
            Fault::new(Reason::NoRoute)
                .meta("dataset", wanted.dataset)
                .meta("level", wanted.level)
                .meta("directly_managed", wanted.directly_managed)
        })
    }

    /// Forgets what is kept, after a change.
    pub async fn changed(&self) {
        self.cache.invalidate(KEY).await;
    }

    async fn routes(&self) -> Result<Vec<Route>, Fault> {
        let pool = self.pool.clone();
        let fetch = async move {
            let read = database::read(&pool, |conn| Box::pin(async move { Ok(store::all(conn).await?) }));
            let routes = read.await.map_err(Status::from)?.into_iter().map(wire::route_to_wire).collect();
            Ok(ListRoutesResponse { routes, offices: vec![] })
        };
        let kept = self.cache.get_or_fetch(KEY, KEEP, fetch).await;
        let kept = kept.map_err(|status: Status| Fault::new(Reason::Unavailable).source(status))?;
        kept.routes.into_iter().map(|route| wire::route_from_wire(Some(route))).collect()
    }
}

fn choose(routes: &[Route], wanted: Wanted<'_>, today: Date) -> Option<Chosen> {
    let fits = |route: &&Route| {
        let holds = &route.holds;
        (holds.dataset, holds.level, holds.directly_managed)
            == (wanted.dataset, wanted.level, wanted.directly_managed)
            && holds.on(today)
    };
    let route = routes.iter().find(fits)?;
    Some(Chosen { route: (route.id, route.version), way: route.for_commune(wanted.commune_code)? })
}
