//! What every place that a copy is kept in can do.
use super::{Applied, CopyError, LocalCopy, Scope};
use eduhub_proto::common::v1::{SchoolDigest, ScopeChange};
use std::future::Future;

/// A place that a copy is kept in. Changes and the cursor that covers them are one write: after a kill at any moment the copy is
/// as it was before or after it. After an error the place must be opened again.
pub trait Place: Send {
    /// What is copied.
    fn scope(&self) -> &Scope;
    /// Cursor to go on from; `None` before the first batch.
    fn cursor(&self) -> Option<&[u8]>;
    /// Live records.
    fn records(&self) -> u64;

    /// Keeps changes (as the feed's `Change` bytes) together with the cursor that covers them; when this ends, both are durable.
    fn apply(
        &mut self,
        changes: Vec<Vec<u8>>,
        cursor: Vec<u8>,
    ) -> impl Future<Output = Result<Applied, CopyError>> + Send;

    /// Keeps a checkpoint's cursor, and that the snapshot is complete.
    fn checkpoint(
        &mut self,
        cursor: Vec<u8>,
        live: bool,
    ) -> impl Future<Output = Result<(), CopyError>> + Send;

    /// Drops what left the consumer's scope, all of it for a reset.
    fn rescope(&mut self, change: &ScopeChange) -> impl Future<Output = Result<(), CopyError>> + Send;

    /// Begins anew: the feed no longer knows the cursor, a new snapshot comes.
    fn reset(&mut self) -> impl Future<Output = Result<(), CopyError>> + Send;

    /// Schools with records, by code.
    fn schools(&mut self) -> impl Future<Output = Result<Vec<String>, CopyError>> + Send;

    /// The digest that `SealService.GetSchoolDigest` gives for the same records.
    fn digest_of(
        &mut self,
        school_code: &str,
    ) -> impl Future<Output = Result<SchoolDigest, CopyError>> + Send;
}

/// The file: its writes block for the disk, for a moment.
impl Place for LocalCopy {
    fn scope(&self) -> &Scope {
        LocalCopy::scope(self)
    }

    fn cursor(&self) -> Option<&[u8]> {
        LocalCopy::cursor(self)
    }

    fn records(&self) -> u64 {
        self.len()
    }

    async fn apply(&mut self, changes: Vec<Vec<u8>>, cursor: Vec<u8>) -> Result<Applied, CopyError> {
        LocalCopy::apply(self, changes, cursor)
    }

    async fn checkpoint(&mut self, cursor: Vec<u8>, live: bool) -> Result<(), CopyError> {
        LocalCopy::checkpoint(self, cursor, live)
    }

    async fn rescope(&mut self, change: &ScopeChange) -> Result<(), CopyError> {
        LocalCopy::rescope(self, change)
    }

    async fn reset(&mut self) -> Result<(), CopyError> {
        LocalCopy::reset(self)
    }

    async fn schools(&mut self) -> Result<Vec<String>, CopyError> {
        Ok(LocalCopy::schools(self))
    }

    async fn digest_of(&mut self, school_code: &str) -> Result<SchoolDigest, CopyError> {
        Ok(LocalCopy::digest_of(self, school_code))
    }
}
