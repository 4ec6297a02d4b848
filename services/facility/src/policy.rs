//! Who may call which RPC. What a row cannot say, the [`eduhub_auth::Gate`] checks: the school and the data domain.
use eduhub_auth::Role::{
    self, CommuneReviewer, Consumer, DepartmentAdmin, DivisionReviewer, SchoolOfficer, Service, Vendor,
};
use eduhub_auth::policy::{Row, ScopeRule};

/// Proto package of the rows.
pub const PACKAGE: &str = "eduhub.facility.v1";

const READERS: &[Role] =
    &[Vendor, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const REVIEWERS: &[Role] = &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const EVERYBODY: &[Role] =
    &[Vendor, Consumer, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const FOLLOWERS: &[Role] = &[Consumer, Service];
// The Department sees and deletes everybody's: a forgotten one costs disk.
const SUBSCRIPTIONS: &[Role] = &[Consumer, Service, DepartmentAdmin];

/// One row per RPC.
pub const ROWS: &[Row] = &[
    // Only a vendor's client writes: the hub never is the first place of entry (R-FLOW-1).
    Row::allow("/eduhub.facility.v1.IngestService/Push", &[Vendor], ScopeRule::School),
    Row::public("/eduhub.facility.v1.IngestService/GetReceiptKeys"),
    Row::allow("/eduhub.facility.v1.IngestService/GetDigestKey", &[Vendor], ScopeRule::School),
    Row::allow("/eduhub.facility.v1.IngestService/CompareGroups", &[Vendor], ScopeRule::School),
    Row::allow("/eduhub.facility.v1.IngestService/CompareRecords", &[Vendor], ScopeRule::School),
    Row::allow("/eduhub.facility.v1.FeedService/Watch", FOLLOWERS, ScopeRule::Own),
    Row::allow("/eduhub.facility.v1.FeedService/CreateSubscription", FOLLOWERS, ScopeRule::Own),
    Row::allow("/eduhub.facility.v1.FeedService/GetSubscription", SUBSCRIPTIONS, ScopeRule::Own),
    Row::allow("/eduhub.facility.v1.FeedService/ListSubscriptions", SUBSCRIPTIONS, ScopeRule::Own),
    Row::allow("/eduhub.facility.v1.FeedService/Acknowledge", FOLLOWERS, ScopeRule::Own),
    Row::allow("/eduhub.facility.v1.FeedService/DeleteSubscription", SUBSCRIPTIONS, ScopeRule::Own),
    Row::allow("/eduhub.facility.v1.RecordService/GetRecord", READERS, ScopeRule::School),
    Row::allow("/eduhub.facility.v1.RecordService/BatchGetRecords", READERS, ScopeRule::School),
    Row::allow("/eduhub.facility.v1.RecordService/ListRecords", READERS, ScopeRule::School),
    Row::allow("/eduhub.facility.v1.RecordService/GetHistory", READERS, ScopeRule::School),
    // Of one school, or of all that are in reach.
    Row::allow("/eduhub.facility.v1.RecordService/CountRecords", READERS, ScopeRule::Own),
    Row::allow("/eduhub.facility.v1.RecordService/GetPosition", READERS, ScopeRule::School),
    Row::allow("/eduhub.facility.v1.IssueService/ListIssues", READERS, ScopeRule::School),
    Row::allow("/eduhub.facility.v1.IssueService/CountIssues", READERS, ScopeRule::School),
    Row::allow("/eduhub.facility.v1.SealService/CreateSeal", &[Service], ScopeRule::School),
    Row::allow("/eduhub.facility.v1.SealService/GetSeal", REVIEWERS, ScopeRule::School),
    Row::allow("/eduhub.facility.v1.SealService/ListSealed", REVIEWERS, ScopeRule::School),
    Row::allow("/eduhub.facility.v1.SealService/DiffSeal", REVIEWERS, ScopeRule::School),
    Row::allow("/eduhub.facility.v1.SealService/GetSchoolDigest", EVERYBODY, ScopeRule::School),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rpc_has_its_row() {
        eduhub_auth::policy::Table::complete(ROWS, PACKAGE).unwrap();
    }
}
