//! Who may call which RPC (design section 8). What a row cannot say, the handler checks: the scope, the dataset's domain,
//! the office of a step, and that only ministry-bridge among the services marks a transfer.

use eduhub_auth::Role::{CommuneReviewer, DepartmentAdmin, DivisionReviewer, SchoolOfficer, Service, Vendor};
use eduhub_auth::policy::{Row, ScopeRule};

/// Package that the rows cover.
pub const PACKAGE: &str = "eduhub.approval.v1";

/// One row for each RPC.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    Row::allow("/eduhub.approval.v1.SubmissionService/Submit", &[SchoolOfficer], ScopeRule::School),
    // Vendors read why their school's data came back, and mend them (R-FLOW-9).
    Row::allow("/eduhub.approval.v1.SubmissionService/GetSubmission", &[Vendor, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service], ScopeRule::Own),
    Row::allow("/eduhub.approval.v1.SubmissionService/ListSubmissions", &[Vendor, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service], ScopeRule::Own),
    Row::allow("/eduhub.approval.v1.SubmissionService/GetHistory", &[Vendor, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service], ScopeRule::Own).personal("transitions.record_reasons"),
    Row::allow("/eduhub.approval.v1.SubmissionService/Decide", &[CommuneReviewer, DivisionReviewer], ScopeRule::Own),
    Row::allow("/eduhub.approval.v1.SubmissionService/WithdrawSubmission", &[SchoolOfficer], ScopeRule::Own),
    Row::allow("/eduhub.approval.v1.SubmissionService/MarkTransferred", &[Service], ScopeRule::Province),
    Row::allow("/eduhub.approval.v1.SubmissionService/LastApproved", &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service], ScopeRule::School),
    Row::allow("/eduhub.approval.v1.RouteService/ListRoutes", &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service], ScopeRule::None),
    Row::allow("/eduhub.approval.v1.RouteService/PutRoute", &[DepartmentAdmin], ScopeRule::Province),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rpc_has_its_row() {
        eduhub_auth::policy::Table::complete(ROWS, PACKAGE).unwrap();
    }
}
