//! Waiting for what another task or process does.
use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// Between two looks: short beside every limit of the services, long beside a query.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks `look` until it finds something.
///
/// # Panics
/// With the caller's place when `limit` passes.
#[track_caller]
pub fn eventually<T, F, Fut>(limit: Duration, mut look: F) -> impl Future<Output = T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let place = std::panic::Location::caller();
    async move {
        let end = Instant::now() + limit;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(Instant::now() < end, "{place}: did not happen within {limit:?}");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// As [`eventually`], for a condition.
///
/// # Panics
/// With the caller's place when `limit` passes.
#[track_caller]
pub fn until<F, Fut>(limit: Duration, mut holds: F) -> impl Future<Output = ()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    eventually(limit, move || {
        let look = holds();
        async move { look.await.then_some(()) }
    })
}
