//! Who may call what. A decision about access needs more than the role: see [`crate::access::require_decider`].
use eduhub_auth::Role::{
    CommuneReviewer, Consumer, DepartmentAdmin, DivisionReviewer, SchoolOfficer, Service, Vendor,
};
use eduhub_auth::policy::{Row, ScopeRule};
use eduhub_auth::{Role, policy};

/// Package of this service's API.
pub const PACKAGE: &str = "eduhub.identity.v1";

const OFFICERS: &[Role] = &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin];
const SEE_GRANTS: &[Role] =
    &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Vendor, Consumer, Service];
const KEEP_CREDENTIALS: &[Role] = &[SchoolOfficer, DivisionReviewer, DepartmentAdmin];
const DECIDE: &[Role] = &[DivisionReviewer, DepartmentAdmin];
const ADMIN: &[Role] = &[DepartmentAdmin];

const fn own(method: &'static str, roles: &'static [Role]) -> Row {
    Row::allow(method, roles, ScopeRule::Own)
}

const fn province(method: &'static str, roles: &'static [Role]) -> Row {
    Row::allow(method, roles, ScopeRule::Province)
}

/// One row for each RPC.
pub static ROWS: &[policy::Row] = &[
    Row::public("/eduhub.identity.v1.TokenService/IssueToken"),
    Row::public("/eduhub.identity.v1.TokenService/GetKeys"),
    Row::public("/eduhub.identity.v1.TokenService/ListRevocations"),
    // An administrator may type in a form that came on paper.
    Row::allow(
        "/eduhub.identity.v1.ApplicationService/SubmitApplication",
        &[SchoolOfficer, DepartmentAdmin],
        ScopeRule::School,
    ),
    Row::allow(
        "/eduhub.identity.v1.ApplicationService/SubmitBatchApplication",
        &[CommuneReviewer],
        ScopeRule::Commune,
    ),
    own("/eduhub.identity.v1.ApplicationService/GetApplication", OFFICERS).personal(""),
    own("/eduhub.identity.v1.ApplicationService/ListApplications", OFFICERS).personal("applications"),
    own("/eduhub.identity.v1.ApplicationService/DecideApplication", DECIDE),
    province("/eduhub.identity.v1.VendorService/RegisterVendor", ADMIN),
    Row::allow("/eduhub.identity.v1.VendorService/ListVendors", SEE_GRANTS, ScopeRule::None),
    own("/eduhub.identity.v1.GrantService/GetGrant", SEE_GRANTS),
    own("/eduhub.identity.v1.GrantService/ListGrants", SEE_GRANTS),
    own("/eduhub.identity.v1.GrantService/CreateCredential", KEEP_CREDENTIALS),
    own("/eduhub.identity.v1.GrantService/RevokeCredential", KEEP_CREDENTIALS),
    own("/eduhub.identity.v1.GrantService/RevokeGrant", DECIDE),
    province("/eduhub.identity.v1.GrantService/CreateConsumerGrant", ADMIN),
    province("/eduhub.identity.v1.PrincipalService/CreateOfficer", ADMIN),
    province("/eduhub.identity.v1.PrincipalService/DisablePrincipal", ADMIN),
    province("/eduhub.identity.v1.PrincipalService/ListPrincipals", ADMIN).personal("principals"),
    Row::allow("/eduhub.identity.v1.VerificationService/VerifyPersons", &[Service], ScopeRule::None)
        .personal("results"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rpc_has_its_row() {
        let table = policy::Table::complete(ROWS, PACKAGE);
        assert!(table.is_ok(), "{:?}", table.err());
    }
}
