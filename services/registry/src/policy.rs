//! Who may call which RPC.
use eduhub_auth::Role;
use eduhub_auth::Role::{
    CommuneReviewer, Consumer, DepartmentAdmin, DivisionReviewer, SchoolOfficer, Service, Vendor,
};
use eduhub_auth::policy::{Row, ScopeRule};

/// Proto package of the rows.
pub const PACKAGE: &str = "eduhub.registry.v1";

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
    Row::allow("/eduhub.registry.v1.IngestService/Push", &[Vendor], ScopeRule::School),
    Row::public("/eduhub.registry.v1.IngestService/GetReceiptKeys"),
    Row::allow("/eduhub.registry.v1.IngestService/GetDigestKey", &[Vendor], ScopeRule::School),
    Row::allow("/eduhub.registry.v1.IngestService/CompareGroups", &[Vendor], ScopeRule::School),
    Row::allow("/eduhub.registry.v1.IngestService/CompareRecords", &[Vendor], ScopeRule::School)
        .personal("extra"),
    Row::allow("/eduhub.registry.v1.FeedService/Watch", FOLLOWERS, ScopeRule::Own)
        .personal("changes.changes"),
    Row::allow("/eduhub.registry.v1.FeedService/CreateSubscription", FOLLOWERS, ScopeRule::Own),
    Row::allow("/eduhub.registry.v1.FeedService/GetSubscription", SUBSCRIPTIONS, ScopeRule::Own),
    Row::allow("/eduhub.registry.v1.FeedService/ListSubscriptions", SUBSCRIPTIONS, ScopeRule::Own),
    Row::allow("/eduhub.registry.v1.FeedService/Acknowledge", FOLLOWERS, ScopeRule::Own),
    Row::allow("/eduhub.registry.v1.FeedService/DeleteSubscription", SUBSCRIPTIONS, ScopeRule::Own),
    Row::allow("/eduhub.registry.v1.RecordService/GetRecord", READERS, ScopeRule::School).personal(""),
    Row::allow("/eduhub.registry.v1.RecordService/BatchGetRecords", READERS, ScopeRule::School)
        .personal("records"),
    Row::allow("/eduhub.registry.v1.RecordService/ListRecords", READERS, ScopeRule::School)
        .personal("records"),
    Row::allow("/eduhub.registry.v1.RecordService/GetHistory", READERS, ScopeRule::School)
        .personal("versions"),
    // Of one school, or of all that are in reach.
    Row::allow("/eduhub.registry.v1.RecordService/CountRecords", READERS, ScopeRule::Own),
    Row::allow("/eduhub.registry.v1.RecordService/SearchRecords", READERS, ScopeRule::Own)
        .personal("records"),
    Row::allow("/eduhub.registry.v1.RecordService/GetPosition", READERS, ScopeRule::School),
    Row::allow("/eduhub.registry.v1.SealService/CreateSeal", &[Service], ScopeRule::School),
    Row::allow("/eduhub.registry.v1.SealService/GetSeal", REVIEWERS, ScopeRule::School),
    Row::allow("/eduhub.registry.v1.SealService/ListSealed", REVIEWERS, ScopeRule::School)
        .personal("records"),
    Row::allow("/eduhub.registry.v1.SealService/DiffSeal", REVIEWERS, ScopeRule::School).personal("records"),
    Row::allow("/eduhub.registry.v1.SealService/GetSchoolDigest", EVERYBODY, ScopeRule::School),
    Row::allow("/eduhub.registry.v1.SchoolService/RegisterSchools", &[DepartmentAdmin], ScopeRule::Province),
    Row::allow("/eduhub.registry.v1.SchoolService/GetSchool", EVERYBODY, ScopeRule::School),
    Row::allow("/eduhub.registry.v1.SchoolService/ListSchools", EVERYBODY, ScopeRule::Own),
    Row::allow("/eduhub.registry.v1.SchoolService/ListAdminUnits", EVERYBODY, ScopeRule::None),
    Row::allow("/eduhub.registry.v1.SchoolService/ConvertAdminUnits", EVERYBODY, ScopeRule::None),
    Row::allow("/eduhub.registry.v1.SchoolService/ListRegisteredCampuses", EVERYBODY, ScopeRule::School),
    Row::public("/eduhub.registry.v1.CodeListService/ListCodes"),
    Row::allow("/eduhub.registry.v1.CodeListService/GetCodeList", EVERYBODY, ScopeRule::None),
    Row::allow("/eduhub.registry.v1.CodeListService/ListCodeListVersions", EVERYBODY, ScopeRule::None),
    Row::allow("/eduhub.registry.v1.CodeListService/WatchCodeLists", EVERYBODY, ScopeRule::None),
    Row::allow("/eduhub.registry.v1.CodeListService/ListCodeMappings", EVERYBODY, ScopeRule::None),
    Row::allow("/eduhub.registry.v1.CodeListService/ImportCodeList", &[DepartmentAdmin], ScopeRule::Province),
    Row::allow("/eduhub.registry.v1.CodeListService/SetCodeMapping", &[DepartmentAdmin], ScopeRule::Province),
    Row::allow("/eduhub.registry.v1.IssueService/ListIssues", READERS, ScopeRule::School).personal("issues"),
    Row::allow("/eduhub.registry.v1.IssueService/CountIssues", READERS, ScopeRule::School),
    Row::allow("/eduhub.registry.v1.IssueService/GetVerification", READERS, ScopeRule::School),
    Row::allow("/eduhub.registry.v1.RuleService/ListRulePacks", EVERYBODY, ScopeRule::None),
    Row::allow("/eduhub.registry.v1.RuleService/PublishRulePack", &[DepartmentAdmin], ScopeRule::Province),
    Row::allow("/eduhub.registry.v1.RuleService/TryRulePack", READERS, ScopeRule::Own)
        .personal("counts.examples"),
    Row::allow("/eduhub.registry.v1.EnrolmentService/ListTransfers", READERS, ScopeRule::School)
        .personal("transfers"),
];
