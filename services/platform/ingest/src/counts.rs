//! Sums of counts.
use eduhub_proto::common::v1::PushCounts;

/// Adds `b` to `a`.
pub(crate) fn add(a: &mut PushCounts, b: &PushCounts) {
    a.created += b.created;
    a.updated += b.updated;
    a.unchanged += b.unchanged;
    a.rejected += b.rejected;
    a.held += b.held;
    a.admitted += b.admitted;
    a.withdrawn += b.withdrawn;
    a.warnings += b.warnings;
    a.translated += b.translated;
}
