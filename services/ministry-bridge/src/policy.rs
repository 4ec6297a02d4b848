//! Which roles may call which RPC.

use eduhub_auth::Role;
use eduhub_auth::policy::{Row, ScopeRule};

/// Package of the service's RPCs.
pub const PACKAGE: &str = "eduhub.bridge.v1";

/// Whoever works with a school's data: outcomes go back to the vendor too (R-FLOW-9).
const READERS: &[Role] = &[
    Role::Vendor,
    Role::SchoolOfficer,
    Role::CommuneReviewer,
    Role::DivisionReviewer,
    Role::DepartmentAdmin,
];
/// Whoever acts on a transfer. Which of the two may start one is a setting (R-FLOW-22).
const ACTORS: &[Role] = &[Role::SchoolOfficer, Role::DepartmentAdmin];
/// Whoever sees workbooks: not the vendor, whose own system the data come from.
const OFFICERS: &[Role] = &[Role::SchoolOfficer, Role::DivisionReviewer, Role::DepartmentAdmin];

/// One row per RPC. The data domain follows from the dataset of the transfer, so the handlers check it with the school.
pub const ROWS: &[Row] = &[
    Row::allow("/eduhub.bridge.v1.TransferService/StartTransfer", ACTORS, ScopeRule::School),
    Row::allow("/eduhub.bridge.v1.TransferService/GetTransfer", READERS, ScopeRule::School),
    Row::allow("/eduhub.bridge.v1.TransferService/ListTransfers", READERS, ScopeRule::School),
    Row::allow("/eduhub.bridge.v1.TransferService/ListLedger", READERS, ScopeRule::School)
        .personal("entries"),
    Row::allow("/eduhub.bridge.v1.TransferService/RequeueDead", ACTORS, ScopeRule::School),
    Row::allow("/eduhub.bridge.v1.TransferService/GetExport", OFFICERS, ScopeRule::School)
        .personal("head.records"),
    Row::allow("/eduhub.bridge.v1.TransferService/ConfirmEntered", &[Role::SchoolOfficer], ScopeRule::School),
    Row::allow("/eduhub.bridge.v1.ReconcileService/Reconcile", ACTORS, ScopeRule::School),
    Row::allow("/eduhub.bridge.v1.ReconcileService/GetReconciliation", READERS, ScopeRule::School),
    Row::allow("/eduhub.bridge.v1.ReconcileService/ListDifferences", READERS, ScopeRule::School)
        .personal("differences"),
    Row::allow("/eduhub.bridge.v1.CapabilityService/ListCapabilities", READERS, ScopeRule::None),
    Row::allow(
        "/eduhub.bridge.v1.CapabilityService/SetCapability",
        &[Role::DepartmentAdmin],
        ScopeRule::Province,
    ),
    Row::allow(
        "/eduhub.bridge.v1.CapabilityService/CheckMinistry",
        &[Role::DepartmentAdmin],
        ScopeRule::Province,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_auth::policy::Table;

    #[test]
    fn every_rpc_has_its_row() {
        Table::complete(ROWS, PACKAGE).unwrap();
    }
}
