//! Pages that streams share.
use crate::event::Page;
use moka::{future::Cache, policy::EvictionPolicy};
use std::{hash::Hash, sync::Arc, time::Duration};

/// Pages that nobody asked for so long are let go.
const IDLE: Duration = Duration::from_secs(60);

/// A cache of so many bytes of pages.
///
/// Streams come along the log, one behind the other: the newest page is what the next one asks for. The cache's own policy
/// admits by frequency; it would keep the first pages it got, as each is asked for equally often, and turn the newest away once
/// it is full.
pub(crate) fn pages<K>(bytes: u64) -> Cache<K, Arc<Page>>
where
    K: Hash + Eq + Send + Sync + 'static,
{
    Cache::builder()
        .weigher(|_, page: &Arc<Page>| u32::try_from(page.weight()).unwrap_or(u32::MAX))
        .max_capacity(bytes)
        .eviction_policy(EvictionPolicy::lru())
        .time_to_idle(IDLE)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use eduhub_changelog::{Position, StoredImage};
    use uuid::Uuid;

    fn page(n: i64) -> Arc<Page> {
        let at = |xid| Position { xid, seq: 0 };
        let image = StoredImage {
            record_id: Uuid::nil(),
            school_code: String::new(),
            record_key: String::new(),
            version: 1,
            digest: vec![],
            body: vec![0; 250],
            secret: None,
            changed_at: time::OffsetDateTime::UNIX_EPOCH,
            withdrawn: false,
        };
        Arc::new(Page::of_log(at(n), vec![Event { position: at(n + 1), kind: 1, image }], at(n + 1)))
    }

    #[tokio::test]
    async fn a_full_shelf_keeps_the_newest_pages() {
        let room = 10;
        let pages = pages(room * page(0).weight() as u64);
        for n in 0..50 {
            pages.insert(page(n).from, page(n)).await;
            pages.run_pending_tasks().await;
        }
        let kept: Vec<bool> = (0..50).map(|n| pages.contains_key(&page(n).from)).collect();
        let newest: Vec<bool> = (0..50).map(|n| n >= 40).collect();
        assert_eq!(kept, newest);
    }
}
