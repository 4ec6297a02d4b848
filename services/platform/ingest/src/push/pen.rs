//! Few large batches write at once: a transaction that has written holds back every feed of the database until it commits, and on
//! busy processors transactions beside each other only take longer, each of them.
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Rows that are written in a few milliseconds: they wait for nobody.
const FEW: usize = 64;

/// The right to write, asked for by each transaction before its first write and given back at its end, just before the
/// commit. Who holds it never waits for a transaction that waits for it: that one has written nothing yet.
pub(crate) struct Pen {
    pens: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl Pen {
    /// Not held yet.
    pub fn of(pens: &Arc<Semaphore>) -> Self {
        Self { pens: pens.clone(), held: None }
    }

    /// Waits for it, unless it is held already or only so few rows are to be written. To be asked before the first write, for all that
    /// the batch itself brings; what waited for it and is admitted with it waits for no pen.
    pub async fn take(&mut self, rows: usize) {
        if self.held.is_none() && rows > FEW {
            // Closed by nobody: without a permit the write goes on all the same.
            self.held = self.pens.clone().acquire_owned().await.ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn large_batches_take_turns_and_small_ones_pass() {
        let pens = Arc::new(Semaphore::new(1));
        let (mut first, mut second, mut small) = (Pen::of(&pens), Pen::of(&pens), Pen::of(&pens));
        first.take(FEW + 1).await;
        first.take(FEW + 1).await;
        assert_eq!(second.take(FEW + 1).now_or_never(), None, "waits for the first");
        assert_eq!(small.take(FEW).now_or_never(), Some(()));
        drop(first);
        assert_eq!(second.take(FEW + 1).now_or_never(), Some(()));
    }
}
