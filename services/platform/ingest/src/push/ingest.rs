//! What a service sets up for its push streams.
use super::{admission::Denied, load::Load};
use crate::{
    incoming::Incoming,
    mapping::Mappings,
    owners::{self, NoOwners, Owners},
    stored::{NoStoredRules, StoredRules},
};
use async_trait::async_trait;
use eduhub_changelog::{Epochs, RecordSet};
use eduhub_faults::Fault;
use eduhub_proto::common::v1::DataDomain;
use eduhub_receipts::Stamp;
use eduhub_rules::{CodeTable, RulePack};
use eduhub_runtime::server::CancellationToken;
use eduhub_vault::Vault;
use sqlx::PgPool;
use std::{marker::PhantomData, sync::Arc, time::Duration};
use time::Date;
use tokio::sync::Notify;

/// Bounds of a push.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Records in one batch.
    pub batch_records: usize,
    /// Batches that a client may have on the way; also what is read ahead.
    pub window: u32,
    /// Records that a school may have in waiting.
    pub held_per_school: i64,
    /// Longest transaction: it holds back every feed of the database.
    pub transaction: Duration,
    /// Longest wait for the client's next message.
    pub idle: Duration,
    /// Batches that are applied at once in this process: the other connections are for everybody else.
    pub applying: usize,
    /// Large batches that write at once in this process: the more, the longer each one holds back the feeds.
    pub writing: usize,
    /// Streams that one caller may have open in this process.
    pub streams_per_caller: usize,
    /// A batch that waited longer for its turn is answered with a hint to slow down.
    pub keeps_up: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (transaction, idle) = (Duration::from_secs(20), Duration::from_secs(120));
        Self {
            batch_records: 2_000,
            window: 4,
            held_per_school: 50_000,
            transaction,
            idle,
            applying: 8,
            writing: 8,
            streams_per_caller: 4,
            keeps_up: Duration::from_millis(500),
        }
    }
}

/// Checks of a service that need more than the record and its own tables. Run before the transaction.
#[async_trait]
pub trait Extra: Send + Sync + 'static {
    /// Adds findings to prepared records.
    async fn check(&self, school_code: &str, school_year: i32, records: &mut [Incoming])
    -> Result<(), Fault>;
}

/// No further checks.
pub struct NoExtra;

#[async_trait]
impl Extra for NoExtra {
    async fn check(&self, _: &str, _: i32, _: &mut [Incoming]) -> Result<(), Fault> {
        Ok(())
    }
}

/// The ingest of one service.
pub struct Ingest<S> {
    /// Database.
    pub pool: PgPool,
    /// Keys.
    pub vault: Arc<Vault>,
    /// Code lists in force.
    pub codes: Arc<dyn Fn() -> Arc<CodeTable> + Send + Sync>,
    /// Mapping tables in force.
    pub mappings: Arc<dyn Fn() -> Arc<Mappings> + Send + Sync>,
    /// Business date (Việt Nam).
    pub today: Arc<dyn Fn() -> Date + Send + Sync>,
    /// Rules between fields in force for a school year on a day.
    pub packs: Arc<dyn Fn(i32, Date) -> Arc<RulePack> + Send + Sync>,
    /// Signs receipts.
    pub stamp: Stamp,
    /// Further checks of the service.
    pub extra: Arc<dyn Extra>,
    /// Who owns the data that a sender may not write.
    pub owners: Arc<dyn Owners>,
    /// Rules of the service over what is stored.
    pub stored: Arc<dyn StoredRules>,
    /// Wakes the feed's reader after a commit.
    pub wake: Arc<Notify>,
    /// Counts commits before they are acknowledged, for whoever keeps what it has read.
    pub epochs: Arc<Epochs>,
    /// Cancelled when the server is about to stop: each stream then ends after the batch in work, to be resumed elsewhere.
    pub draining: CancellationToken,
    /// Bounds.
    pub limits: Limits,
    pub(super) load: Load,
    set: PhantomData<S>,
}

impl<S: RecordSet> Ingest<S> {
    /// The same with other bounds.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { load: Load::new(&limits), limits, ..self }
    }

    /// The refusal of a caller whose grant covers none of these domains of a school, with the name of the grant that does.
    pub async fn not_granted(&self, school_code: &str, domains: &[DataDomain]) -> Fault {
        owners::refusal(&*self.owners, school_code, domains).await
    }

    pub(super) async fn refusal(&self, school_code: &str, denied: Denied) -> Fault {
        match denied {
            Denied::Fault(fault) => fault,
            Denied::Domain(domain) => self.not_granted(school_code, &[domain]).await,
        }
    }

    /// An ingest with default limits and no further checks.
    pub fn new(
        pool: PgPool,
        vault: Arc<Vault>,
        codes: Arc<dyn Fn() -> Arc<CodeTable> + Send + Sync>,
        today: Arc<dyn Fn() -> Date + Send + Sync>,
        stamp: Stamp,
    ) -> Self {
        let (extra, stored, wake) = (Arc::new(NoExtra), Arc::new(NoStoredRules), Arc::new(Notify::new()));
        let usual = Arc::new(RulePack::USUAL);
        let packs = Arc::new(move |_: i32, _: Date| usual.clone());
        let limits = Limits::default();
        let (none, epochs) = (Arc::<Mappings>::default(), Arc::<Epochs>::default());
        let mappings = Arc::new(move || none.clone());
        Self {
            pool,
            vault,
            codes,
            mappings,
            today,
            packs,
            stamp,
            extra,
            owners: Arc::new(NoOwners),
            stored,
            wake,
            epochs,
            draining: CancellationToken::new(),
            load: Load::new(&limits),
            limits,
            set: PhantomData,
        }
    }
}
