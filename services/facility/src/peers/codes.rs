//! Code lists and mapping tables in memory, as registry has them.
use arc_swap::ArcSwapOption;
use eduhub_ingest::Mappings;
use eduhub_proto::registry::v1::{ListCodesRequest, code_list_service_client::CodeListServiceClient};
use eduhub_rules::CodeTable;
use eduhub_runtime::client::GrpcChannel;
use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};
use tonic::Status;

/// How often the lists are asked for; the answer is empty while they are the known ones.
const REFRESH: Duration = Duration::from_secs(2);
/// How often until they were given once: services start in any order.
const FIRST: Duration = Duration::from_secs(1);
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// All lists of a province with its communes are a quarter of a MiB; those of the nation one.
const LARGEST_ANSWER: usize = 16 << 20;

static NONE: LazyLock<InForce> = LazyLock::new(InForce::default);

#[derive(Default)]
struct InForce {
    codes: Arc<CodeTable>,
    mappings: Arc<Mappings>,
}

/// The code lists and mapping tables in force. Cheap to clone.
#[derive(Clone, Default)]
pub struct CodeBook(Arc<ArcSwapOption<InForce>>);

impl CodeBook {
    /// Whether the lists are here.
    pub fn is_loaded(&self) -> bool {
        self.0.load().is_some()
    }

    /// The lists in force; none before [`CodeBook::is_loaded`].
    pub fn current(&self) -> Arc<CodeTable> {
        self.0.load().as_ref().map_or_else(|| NONE.codes.clone(), |now| now.codes.clone())
    }

    /// The mapping tables in force; none before [`CodeBook::is_loaded`].
    pub fn mappings(&self) -> Arc<Mappings> {
        self.0.load().as_ref().map_or_else(|| NONE.mappings.clone(), |now| now.mappings.clone())
    }

    /// Asks registry for the lists, and again for ever; while it is away the known ones stay in force. They are public,
    /// so no token is needed, and identity need not be there. Never returns.
    pub async fn follow(self, registry: GrpcChannel) {
        let registry = CodeListServiceClient::new(registry).max_decoding_message_size(LARGEST_ANSWER);
        let mut seen = None;
        loop {
            match self.refresh(registry.clone(), seen).await {
                Ok(version) => seen = Some(version),
                Err(status) => tracing::warn!(code = ?status.code(), "registry gave no code lists"),
            }
            tokio::time::sleep(if self.is_loaded() { REFRESH } else { FIRST }).await;
        }
    }

    async fn refresh(
        &self,
        mut registry: CodeListServiceClient<GrpcChannel>,
        seen: Option<i64>,
    ) -> Result<i64, Status> {
        let known_version = seen.unwrap_or_default();
        let mut request =
            tonic::Request::new(ListCodesRequest { known_version, ..ListCodesRequest::default() });
        request.set_timeout(PATIENCE);
        let lists = registry.list_codes(request).await?.into_inner();
        if seen == Some(lists.version) {
            return Ok(lists.version);
        }
        // An empty answer is a registry that was not seeded: with it every code would be unknown.
        if lists.codes.is_empty() {
            return Err(Status::unavailable("registry has no code lists yet"));
        }
        let codes = Arc::new(lists.codes.into_iter().collect());
        let mappings = Arc::new(Mappings::from_tables(lists.mappings));
        self.0.store(Some(Arc::new(InForce { codes, mappings })));
        Ok(lists.version)
    }
}
