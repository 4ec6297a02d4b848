//! What requests and workers share.

use std::sync::Arc;

use eduhub_cache::Cache;
use eduhub_pg::PgPool;
use eduhub_vault::Vault;
use tokio::sync::Notify;

use crate::config::WorkSettings;
use crate::ministry::Ministry;
use crate::peers::Peers;

/// What requests and workers share. Cheap to clone.
#[derive(Clone)]
pub struct Core {
    /// Database.
    pub pool: PgPool,
    /// Keys.
    pub vault: Arc<Vault>,
    /// Cache.
    pub cache: Cache,
    /// Other services.
    pub peers: Peers,
    /// The Ministry.
    pub ministry: Arc<Ministry>,
    /// How work is done.
    pub settings: Arc<WorkSettings>,
    /// Wakes an idle worker of this process: there is new work.
    pub wake: Arc<Notify>,
}
